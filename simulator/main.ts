#!/usr/bin/env node
import { realpathSync } from 'node:fs'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { CommanderError } from 'commander'
import { z } from 'zod'
import { DEFAULT_PRINCIPAL, startLocalAzure, type LocalAzure, type LocalAzureEndpoints } from './azure.ts'
import { createProgram, type CommandLine } from './command-line.ts'
import type { ComputeSettingsChange } from './compute/settings.ts'
import { faultRuleSchema } from './faults/fault-rule.ts'
import { ensureAuthority } from './tls/authority-directory.ts'

/** The program of the local Azure: starts it, says where it is, stops it on SIGINT and SIGTERM. */

const WRONG_ARGUMENTS = 2

/**
 * Runs the command line; `argv` is without the names of program and script. Resolves with the exit code: after SIGINT
 * or SIGTERM when the local Azure has stopped, at once with 2 for a wrong argument and 1 when it cannot start.
 */
export async function main(argv: readonly string[]): Promise<number> {
  const program = createProgram(run)
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return 0
  } catch (error) {
    // What commander refuses it has told already; help is an error of code 0.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : WRONG_ARGUMENTS
    process.stderr.write(`local-azure: ${messageOf(error)}\n`)
    return 1
  }
}

async function run(options: CommandLine): Promise<void> {
  if (options.makeCa !== undefined) {
    const { certificateFile } = await ensureAuthority(options.makeCa)
    process.stdout.write(`${certificateFile}\n`)
    return
  }
  const rules = options.faults === undefined ? [] : await readFaults(options.faults)

  const azure = await startLocalAzure({
    host: options.host,
    hostName: options.hostName,
    subscriptionId: options.subscription,
    caDir: options.caDir,
    dataDir: options.dataDir,
    stateDir: options.state,
    // Names and values are checked where settings are made.
    settings: Object.fromEntries(options.set) as ComputeSettingsChange,
    shaping: options.shape,
    ports: {
      resourceManager: options.port,
      blob: options.blobPort,
      identity: options.identityPort,
      control: options.controlPort,
    },
  })
  const stopped = stopSignal()
  try {
    for (const name of options.account) if (!azure.hasAccount(name)) azure.createAccount({ name })
    for (const path of options.container) azure.createContainer(...accountAndName(path))
    for (const rule of rules) azure.faults.add(rule)
    if (options.readyFile !== undefined) await writeReadyFile(options.readyFile, azure)
    process.stdout.write(describe(azure, options.account))
    await stopped
  } finally {
    await azure.close()
  }
}

function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
}

async function readFaults(path: string): Promise<Array<z.output<typeof faultRuleSchema>>> {
  const rules = z.array(faultRuleSchema).safeParse(JSON.parse(await readFile(path, 'utf8')))
  if (rules.success) return rules.data
  throw new Error(`${path}: ${z.prettifyError(rules.error)}`)
}

/** Whoever waits for the file never reads half of it. */
async function writeReadyFile(path: string, azure: LocalAzure): Promise<void> {
  const endpoints: LocalAzureEndpoints & { readonly pid: number } = {
    resourceManagerEndpoint: azure.resourceManagerEndpoint,
    resourceManagerAudience: azure.resourceManagerAudience,
    blobEndpoint: azure.blobEndpoint,
    identityEndpoint: azure.identityEndpoint,
    identityHeader: azure.identityHeader,
    controlEndpoint: azure.controlEndpoint,
    subscriptionId: azure.subscriptionId,
    caFile: azure.caFile,
    env: azure.env,
    pid: process.pid,
  }
  await writeFile(`${path}.${process.pid}`, `${JSON.stringify(endpoints, undefined, 2)}\n`)
  await rename(`${path}.${process.pid}`, path)
}

function describe(azure: LocalAzure, accounts: readonly string[]): string {
  const lines = [
    'The local Azure is ready.',
    '',
    `  resource manager  ${azure.resourceManagerEndpoint}`,
    `  blob service      ${azure.blobEndpoint}/<account>/<container>`,
    `  identity          ${azure.identityEndpoint} (X-IDENTITY-HEADER: ${DEFAULT_PRINCIPAL})`,
    `  control           ${azure.controlEndpoint}`,
    `  subscription      ${azure.subscriptionId}`,
    ...accounts.map((name) => `  account           ${azure.blobEndpoint}/${name}`),
    '',
    'For the clients:',
    '',
    // Where they are set, the identity library asks elsewhere, or for another identity.
    'unset AZURE_CLIENT_ID AZURE_TENANT_ID AZURE_CLIENT_SECRET AZURE_TOKEN_CREDENTIALS AZURE_AUTHORITY_HOST',
    ...Object.entries(azure.env).map(([name, value]) => `export ${name}='${value}'`),
    '',
  ]
  return `${lines.join('\n')}\n`
}

function accountAndName(path: string): [string, string] {
  const [account = '', name = ''] = path.split('/')
  return [account, name]
}

function messageOf(error: unknown): string {
  if (error instanceof z.ZodError) return z.prettifyError(error)
  return error instanceof Error ? error.message : String(error)
}

/** False when another program loaded this module to call `main`. */
function isScript(): boolean {
  const script = process.argv[1]
  try {
    return script !== undefined && realpathSync(script) === fileURLToPath(import.meta.url)
  } catch {
    return false
  }
}

if (isScript()) process.exitCode = await main(process.argv.slice(2))
