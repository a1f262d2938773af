import { Command, InvalidArgumentError } from 'commander'
import { SHAPING_PROFILES, type ShapingProfile } from './shaping/shaping-settings.ts'

/** The options of the local Azure's program, and how their values are read. */

export interface CommandLine {
  readonly port: number
  readonly blobPort: number
  readonly identityPort: number
  readonly controlPort: number
  readonly host: string
  readonly hostName: string
  readonly subscription?: string
  readonly caDir?: string
  readonly dataDir?: string
  readonly state?: string
  readonly readyFile?: string
  readonly makeCa?: string
  readonly account: string[]
  readonly container: string[]
  readonly set: Array<[string, unknown]>
  readonly shape?: ShapingProfile
  readonly faults?: string
}

/** A program that throws what is wrong with its arguments, and calls `run` with them else. */
export function createProgram(run: (options: CommandLine) => Promise<void>): Command {
  return new Command('local-azure')
    .description('A local Azure for managed-disk backup: disks, snapshots, page blobs, for the unmodified Azure SDKs.')
    .option('--port <port>', 'port of the resource manager (0: a free one)', parsePort, 0)
    .option('--blob-port <port>', 'port of the blob service', parsePort, 0)
    .option('--identity-port <port>', 'port of the managed-identity endpoint', parsePort, 0)
    .option('--control-port <port>', 'port of the control API', parsePort, 0)
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--host-name <name>', 'name in the endpoint URLs and in the certificate', 'localhost')
    .option('--subscription <id>', 'id of the subscription that exists from the start')
    .option('--state <dir>', 'keep everything in this directory, and go on from what is there')
    .option('--ca-dir <dir>', 'where the certificate authority is kept; made when it is not there')
    .option('--data-dir <dir>', 'where the bytes of disks and blobs lie (default: a temporary file)')
    .option('--ready-file <path>', 'write the endpoints to this file as JSON once everything listens')
    .option('--account <name>', 'create this storage account; may be repeated', collect, [])
    .option('--container <account/name>', 'create this container in one of the accounts; may be repeated', collect, [])
    .option('--set <name=value>', 'a setting of the resource manager; may be repeated', collectSetting, [])
    .option('--shape <profile>', `how slow blobs are: ${Object.keys(SHAPING_PROFILES).join(', ')}`, parseProfile)
    .option('--faults <file>', 'rules by which things go wrong, a JSON array')
    .option('--make-ca <dir>', 'make the certificate authority in this directory, print its certificate file and exit')
    .exitOverride()
    .action(run)
}

function parsePort(value: string): number {
  const port = Number(value)
  if (/^\d+$/.test(value) && port <= 65_535) return port
  throw new InvalidArgumentError('a port is a number from 0 to 65535')
}

function parseProfile(value: string): ShapingProfile {
  const profile = Object.keys(SHAPING_PROFILES).find((name) => name === value)
  if (profile !== undefined) return profile as ShapingProfile
  throw new InvalidArgumentError(`there is no profile '${value}'`)
}

/** The value is JSON where it can be, else text. */
function collectSetting(text: string, previous: ReadonlyArray<[string, unknown]>): Array<[string, unknown]> {
  const mark = text.indexOf('=')
  if (mark < 1) throw new InvalidArgumentError('a setting is name=value')
  const value = text.slice(mark + 1)
  return [...previous, [text.slice(0, mark), parseValue(value)]]
}

function parseValue(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}

function collect(value: string, previous: readonly string[]): string[] {
  return [...previous, value]
}
