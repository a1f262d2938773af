#!/usr/bin/env node
import { rename, writeFile } from 'node:fs/promises'
import { Command, InvalidArgumentError } from 'commander'
import { DEFAULT_PRINCIPAL, startLocalAzure, type LocalAzure, type LocalAzureEndpoints } from './azure.ts'
import { ensureAuthority } from './tls/authority-directory.ts'

/** The command line of the local Azure: starts it, says where it is, stops it on SIGINT and SIGTERM. */

interface CommandLine {
  readonly port: number
  readonly blobPort: number
  readonly identityPort: number
  readonly controlPort: number
  readonly host: string
  readonly hostName: string
  readonly caDir?: string
  readonly dataDir?: string
  readonly readyFile?: string
  readonly makeCa?: string
  readonly account: string[]
  readonly container: string[]
}

const program = new Command('local-azure')
  .description('A local Azure for managed-disk backup: disks, snapshots and page blobs for the unmodified Azure SDKs.')
  .option('--port <port>', 'port of the resource manager (0: a free one)', parsePort, 0)
  .option('--blob-port <port>', 'port of the blob service', parsePort, 0)
  .option('--identity-port <port>', 'port of the managed-identity endpoint', parsePort, 0)
  .option('--control-port <port>', 'port of the control API', parsePort, 0)
  .option('--host <address>', 'address to listen on', '127.0.0.1')
  .option('--host-name <name>', 'name in the endpoint URLs and in the certificate', 'localhost')
  .option('--ca-dir <dir>', 'where the certificate authority is kept; made when it is not there')
  .option('--data-dir <dir>', 'where the bytes of disks and blobs lie (default: a temporary file)')
  .option('--ready-file <path>', 'write the endpoints to this file as JSON once everything listens')
  .option('--account <name>', 'create this storage account; may be repeated', collect, [])
  .option('--container <account/name>', 'create this container in one of the accounts; may be repeated', collect, [])
  .option('--make-ca <dir>', 'make the certificate authority in this directory, print its certificate file and exit')
  .action(run)

try {
  await program.parseAsync()
} catch (error) {
  process.stderr.write(`local-azure: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}

async function run(options: CommandLine): Promise<void> {
  if (options.makeCa !== undefined) {
    const { certificateFile } = await ensureAuthority(options.makeCa)
    process.stdout.write(`${certificateFile}\n`)
    return
  }

  const azure = await startLocalAzure({
    host: options.host,
    hostName: options.hostName,
    caDir: options.caDir,
    dataDir: options.dataDir,
    ports: {
      resourceManager: options.port,
      blob: options.blobPort,
      identity: options.identityPort,
      control: options.controlPort,
    },
  })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void azure.close())

  try {
    for (const name of options.account) azure.createAccount({ name })
    for (const path of options.container) azure.createContainer(...accountAndName(path))
    if (options.readyFile !== undefined) await writeReadyFile(options.readyFile, azure)
  } catch (error) {
    await azure.close()
    throw error
  }
  process.stdout.write(describe(azure, options.account))
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
    ...Object.entries(azure.env).map(([name, value]) => `export ${name}='${value}'`),
    '',
  ]
  return `${lines.join('\n')}\n`
}

function parsePort(value: string): number {
  const port = Number(value)
  if (/^\d+$/.test(value) && port <= 65_535) return port
  throw new InvalidArgumentError('a port is a number from 0 to 65535')
}

function accountAndName(path: string): [string, string] {
  const [account = '', name = ''] = path.split('/')
  return [account, name]
}

function collect(value: string, previous: readonly string[]): string[] {
  return [...previous, value]
}
