/**
 * Finds the program that carries Temporal's dev server, and gets it where it is not yet.
 *
 * In this order: `temporal` on PATH if it is new enough, the one kept in our cache folder, the SDK's download, and a
 * build with Go. What is downloaded or built is kept in the cache folder for ever. As a command it prints the path.
 */
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { withLock } from './lib/lock-file.mjs'
import { main } from './lib/main.mjs'
import { runQuietly } from './lib/processes.mjs'
import { slowStep } from './lib/slow-step.mjs'
import { buildTemporal, findGo } from './lib/temporal-build.mjs'
import { downloadTemporal } from './lib/temporal-download.mjs'
import { ensureInstalled } from './lib/workspace.mjs'

/** Of the CLI; it carries server 1.29.1 and UI 2.42.1. */
const VERSION = '1.5.1'
/** Server that an installed `temporal` must carry: the first with all that the workflows and schedules use. */
const OLDEST_SERVER = [1, 28]
const PROGRAM = process.platform === 'win32' ? 'temporal.exe' : 'temporal'

/**
 * @returns {Promise<string>} path of the program
 * @throws when there is no way to it; the message says what to install.
 */
export async function findTemporalCli() {
  const installed = await findInstalled()
  if (installed !== undefined) return installed

  const kept = join(cacheFolder(), PROGRAM)
  if (existsSync(kept)) return kept
  return withLock(`${cacheFolder()}.lock`, () => fetchTemporal(kept))
}

async function fetchTemporal(kept) {
  // Another process may have fetched it while this one waited for the lock.
  if (existsSync(kept)) return kept
  await ensureInstalled()
  if (await slowStep(`downloading Temporal's dev server ${VERSION}`, () => downloadTemporal(VERSION, kept))) return kept

  const go = await findGo()
  if (go === undefined) {
    throw new Error(
      'no Temporal dev server: there is no `temporal` on PATH, it cannot be downloaded, and there is no Go to build it.\n' +
        'Install one of them: https://docs.temporal.io/cli#install or https://go.dev/doc/install,\n' +
        'or name a running Temporal service by TEMPORAL_ADDRESS.',
    )
  }
  const label = "building Temporal's dev server with Go, once per machine, about 4 minutes"
  await slowStep(label, () => buildTemporal(go, VERSION, kept))
  return kept
}

async function findInstalled() {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = resolve(folder, PROGRAM)
    if (folder === '' || !existsSync(path)) continue
    const version = await runQuietly(path, ['--version']).catch(() => '')
    if (isNewEnough(version)) return path
    const [major, minor] = OLDEST_SERVER
    process.stderr.write(`${path} is left aside: it is no Temporal CLI with a server of ${major}.${minor} or later\n`)
  }
  return undefined
}

/** Reads `temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)`. The CLI's own number is 0.0.0-DEV in builds from source. */
function isNewEnough(version) {
  const [, major, minor] = /Server (\d+)\.(\d+)/.exec(version) ?? []
  if (major === undefined) return false
  return Number(major) > OLDEST_SERVER[0] || (Number(major) === OLDEST_SERVER[0] && Number(minor) >= OLDEST_SERVER[1])
}

function cacheFolder() {
  const base = process.env.XDG_CACHE_HOME || join(homedir(), '.cache')
  return join(base, 'snapferry', `temporal-cli-${VERSION}`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(async () => process.stdout.write(`${await findTemporalCli()}\n`))
}
