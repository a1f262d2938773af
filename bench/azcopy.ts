/** AzCopy, where it is on the PATH: a service-to-service copy of a disk's export to a page blob. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, constants, mkdir } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { cpuSecondsOfEndedChildren } from './worker-child.ts'

export interface AzcopyRun {
  /** With their SAS. */
  readonly sourceUrl: string
  readonly blobUrl: string
  /** Its own limit on page blobs: begins at 500 MB/s and goes down when it is refused. */
  readonly isPaced: boolean
  /** For its plans and logs. */
  readonly folder: string
}

export async function findAzcopy(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  for (const folder of (env['PATH'] ?? '').split(delimiter)) {
    const program = join(folder, process.platform === 'win32' ? 'azcopy.exe' : 'azcopy')
    const isThere = await access(program, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (isThere) return program
  }
  return undefined
}

/** Copies; what the processor spent on it, undefined where the system does not tell. @throws when it fails. */
export async function runAzcopy(program: string, { sourceUrl, blobUrl, isPaced, folder }: AzcopyRun): Promise<number | undefined> {
  const cpuBefore = await cpuSecondsOfEndedChildren()
  const files = join(folder, 'azcopy')
  await mkdir(files, { recursive: true })
  // By address: it takes `localhost` for no emulator, and then the account for a container.
  const [source, target] = [sourceUrl, blobUrl].map((url) => url.replace('//localhost:', '//127.0.0.1:'))
  const args = ['copy', String(source), String(target), '--from-to', 'BlobBlob', '--blob-type', 'PageBlob']
  args.push('--s2s-preserve-access-tier=false', '--check-version=false', '--log-level=ERROR')
  const child = spawn(program, args, {
    env: {
      ...process.env,
      // What Go trusts in the place of the machine's own authorities.
      SSL_CERT_FILE: process.env['NODE_EXTRA_CA_CERTS'],
      AZCOPY_LOG_LOCATION: files,
      AZCOPY_JOB_PLAN_LOCATION: files,
      AZCOPY_DISABLE_SYSLOG: 'true',
      AZCOPY_PACE_PAGE_BLOBS: String(isPaced),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`azcopy ended with ${code}: ${output.replaceAll(/sig=[^&\s]+/g, 'sig=REDACTED').slice(-2000)}`)
  const cpuAfter = await cpuSecondsOfEndedChildren()
  return cpuBefore === undefined || cpuAfter === undefined ? undefined : cpuAfter - cpuBefore
}
