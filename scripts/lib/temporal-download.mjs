/**
 * Gets Temporal's CLI by the SDK's own download, which knows the archives of each platform.
 *
 * The SDK downloads as a part of starting a dev server and offers no timeout. So one is started, in a process of its own
 * that can be ended, and only where the download site answers at all.
 */
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runQuietly } from './processes.mjs'

const DOWNLOAD_SITE = 'https://temporal.download'
const PROBE_TIMEOUT_MS = 10_000
const DOWNLOAD_TIMEOUT_MS = 10 * 60_000
const SDK_PROCESS = fileURLToPath(new URL('temporal-download-process.mjs', import.meta.url))

/**
 * Downloads release `version` to the file `destination`.
 * @returns {Promise<boolean>} false when it is not to be had, after 10 s where the site does not answer
 */
export async function downloadTemporal(version, destination) {
  if (!(await isReachable(version))) return false
  await mkdir(dirname(destination), { recursive: true })
  const folder = await mkdtemp(`${dirname(destination)}-download-`)
  try {
    await runQuietly(process.execPath, [SDK_PROCESS, `v${version}`, folder], { timeout: DOWNLOAD_TIMEOUT_MS })
    const [program] = await readdir(folder)
    if (program === undefined) return false
    await rename(join(folder, program), destination)
    return true
  } catch {
    return false
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function isReachable(version) {
  try {
    const answer = await fetch(`${DOWNLOAD_SITE}/cli/v${version}?platform=linux&arch=amd64`, {
      signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
    })
    return answer.ok
  } catch {
    return false
  }
}
