/**
 * The settings of a process: environment over snapferry.yaml over defaults.
 *
 * The environment is handed in, so that only the command line reads `process.env`. What Temporal needs is read by
 * Temporal's own rules (its variables and its TOML profiles), with snapferry.yaml between the two.
 */
import { access } from 'node:fs/promises'
import path from 'node:path'
import { loadClientConnectConfig, type ClientConnectConfig } from '@temporalio/envconfig'
import { PUBLIC_CLOUD, type AzureSettings } from '../azure/settings.ts'
import { BackupError } from '../domain/failures.ts'
import { DEFAULT_CONFIG_FILE, EMPTY_CONFIG, readConfigFile, type ConfigFile } from './config-file.ts'
import { isSocketAddress, MAX_CONCURRENT_TRANSFERS, SOCKET_ADDRESS } from './schema-parts.ts'

export type Environment = Readonly<Record<string, string | undefined>>

export interface TemporalSettings {
  /** For `Connection` and `NativeConnection` alike. May hold an API key: never print it. */
  readonly connectionOptions: ClientConnectConfig['connectionOptions']
  /** For messages. */
  readonly address: string
  readonly namespace: string
}

export interface WorkerSettings {
  /** `taskQueuesOf(prefix)` of workflows/messages.ts names the queues. */
  readonly taskQueuePrefix: string
  /** Extents that this worker moves at the same time; bounds its memory. */
  readonly maxConcurrentTransfers: number
  /** Caps on what this worker writes, all its transfers together; undefined: as much as Azure takes. */
  readonly maxMibPerSecond?: number
  readonly maxRequestsPerSecond?: number
  /** IP:port where Prometheus metrics are served; undefined: not at all. */
  readonly metricsAddress?: string
  /** Whether the programs that drills of policies name are run. */
  readonly runsDrillCommands: boolean
  /** Program and arguments that get alerts; undefined: Temporal and the metrics tell alone. */
  readonly alertCommand?: readonly string[]
}

export interface Settings {
  readonly temporal: TemporalSettings
  readonly azure: AzureSettings
  readonly worker: WorkerSettings
}

/** Settings and the file that they came from, whose policies the commands need. */
export interface LoadedSettings {
  readonly settings: Settings
  readonly config: ConfigFile
  /** undefined: no file was given and none lies in the working folder. */
  readonly configPath?: string
}

const DEFAULT_ADDRESS = 'localhost:7233'
const DEFAULT_NAMESPACE = 'default'
const DEFAULT_TASK_QUEUE = 'snapferry'
const DEFAULT_MAX_CONCURRENT_TRANSFERS = 16

/**
 * Reads the file (`configPath`, else SNAPFERRY_CONFIG, else ./snapferry.yaml where there is one) and the environment.
 *
 * @throws BackupError InvalidConfig
 */
export async function loadSettings(environment: Environment, configPath?: string): Promise<LoadedSettings> {
  const found = configPath ?? variable(environment, 'SNAPFERRY_CONFIG') ?? (await defaultConfigPath())
  if (found === undefined) return { settings: resolveSettings(environment, EMPTY_CONFIG), config: EMPTY_CONFIG }
  const config = await readConfigFile(found)
  return { settings: resolveSettings(environment, config), config, configPath: path.resolve(found) }
}

/** @throws BackupError InvalidConfig */
export function resolveSettings(environment: Environment, config: ConfigFile): Settings {
  const maxMibPerSecond = positiveInteger(environment, 'SNAPFERRY_MAX_MIB_PER_SECOND') ?? config.worker.maxMibPerSecond
  const maxRequestsPerSecond =
    positiveInteger(environment, 'SNAPFERRY_MAX_REQUESTS_PER_SECOND') ?? config.worker.maxRequestsPerSecond
  const metricsAddress = socketAddress(environment, 'SNAPFERRY_METRICS_ADDRESS') ?? config.worker.metricsAddress
  const alertCommand = words(environment, 'SNAPFERRY_ALERT_COMMAND') ?? config.worker.alertCommand
  return {
    temporal: temporalSettings(environment, config.temporal),
    azure: {
      resourceManagerEndpoint:
        variable(environment, 'SNAPFERRY_RESOURCE_MANAGER_ENDPOINT') ??
        config.azure.resourceManagerEndpoint ??
        PUBLIC_CLOUD.resourceManagerEndpoint,
      resourceManagerAudience:
        variable(environment, 'SNAPFERRY_RESOURCE_MANAGER_AUDIENCE') ??
        config.azure.resourceManagerAudience ??
        PUBLIC_CLOUD.resourceManagerAudience,
    },
    worker: {
      taskQueuePrefix: variable(environment, 'SNAPFERRY_TASK_QUEUE') ?? config.worker.taskQueue ?? DEFAULT_TASK_QUEUE,
      maxConcurrentTransfers:
        positiveInteger(environment, 'SNAPFERRY_MAX_CONCURRENT_TRANSFERS', MAX_CONCURRENT_TRANSFERS) ??
        config.worker.maxConcurrentTransfers ??
        DEFAULT_MAX_CONCURRENT_TRANSFERS,
      ...(maxMibPerSecond !== undefined && { maxMibPerSecond }),
      ...(maxRequestsPerSecond !== undefined && { maxRequestsPerSecond }),
      ...(metricsAddress !== undefined && { metricsAddress }),
      runsDrillCommands: yesOrNo(environment, 'SNAPFERRY_RUN_DRILL_COMMANDS') ?? config.worker.runDrillCommands ?? false,
      ...(alertCommand !== undefined && { alertCommand }),
    },
  }
}

/**
 * TEMPORAL_* over snapferry.yaml over a profile of Temporal's TOML: the file's values are put where Temporal looks for
 * variables, as those are what it lays over a profile.
 */
function temporalSettings(environment: Environment, file: ConfigFile['temporal']): TemporalSettings {
  const overlaid = {
    ...withoutEmpty(environment),
    ...definedOnly({
      TEMPORAL_ADDRESS: variable(environment, 'TEMPORAL_ADDRESS') ?? file.address,
      TEMPORAL_NAMESPACE: variable(environment, 'TEMPORAL_NAMESPACE') ?? file.namespace,
      TEMPORAL_PROFILE: variable(environment, 'TEMPORAL_PROFILE') ?? file.profile,
    }),
  }
  try {
    const { connectionOptions, namespace } = loadClientConnectConfig({ overrideEnvVars: overlaid })
    const address = connectionOptions.address ?? DEFAULT_ADDRESS
    return { connectionOptions: { ...connectionOptions, address }, address, namespace: namespace ?? DEFAULT_NAMESPACE }
  } catch (cause) {
    throw new BackupError({
      type: 'InvalidConfig',
      message:
        `the settings for Temporal cannot be used: ${cause instanceof Error ? cause.message : String(cause)}; ` +
        "see the TEMPORAL_* variables and Temporal's configuration file",
      cause,
    })
  }
}

async function defaultConfigPath(): Promise<string | undefined> {
  return access(DEFAULT_CONFIG_FILE).then(
    () => DEFAULT_CONFIG_FILE,
    () => undefined,
  )
}

/** An empty variable counts as one that is not set: that is how people unset one for a single command. */
function variable(environment: Environment, name: string): string | undefined {
  const value = environment[name]?.trim()
  return value === '' ? undefined : value
}

function positiveInteger(environment: Environment, name: string, max?: number): number | undefined {
  const text = variable(environment, name)
  if (text === undefined) return undefined
  if (!/^[1-9]\d{0,5}$/.test(text) || Number(text) > (max ?? Infinity)) {
    throw unexpected(name, text, max === undefined ? 'a whole number of 1 or more' : `a whole number from 1 to ${max}`)
  }
  return Number(text)
}

function socketAddress(environment: Environment, name: string): string | undefined {
  const text = variable(environment, name)
  if (text !== undefined && !isSocketAddress(text)) throw unexpected(name, text, SOCKET_ADDRESS)
  return text
}

function unexpected(name: string, text: string, expected: string): BackupError {
  return new BackupError({ type: 'InvalidConfig', message: `${name} is "${text}"; expected ${expected}`, facts: { name } })
}

function yesOrNo(environment: Environment, name: string): boolean | undefined {
  const text = variable(environment, name)
  if (text === undefined) return undefined
  if (text === '1' || text === '0') return text === '1'
  throw unexpected(name, text, '1 or 0')
}

/** Separated by blanks; what has blanks within is set in the file. */
function words(environment: Environment, name: string): readonly string[] | undefined {
  return variable(environment, name)?.split(/\s+/)
}

function withoutEmpty(environment: Environment): Record<string, string> {
  return definedOnly(Object.fromEntries(Object.keys(environment).map((name) => [name, variable(environment, name)])))
}

function definedOnly(values: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined))
}
