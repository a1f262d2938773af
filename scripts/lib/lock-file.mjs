/** A lock between processes of one machine: a file that holds the owner's process id. */
import { mkdir, open, readFile, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const RETRY_MS = 500

/**
 * Takes the lock unless a living process holds it; one whose owner is dead is taken over.
 * @param {string} file
 * @returns {Promise<(() => Promise<void>) | undefined>} what releases it, or undefined if it is held
 */
export async function tryLock(file) {
  await mkdir(dirname(file), { recursive: true })
  if (await isAbandoned(file)) await rm(file, { force: true })
  return (await create(file)) ? () => rm(file, { force: true }) : undefined
}

/**
 * Runs `work` while no other process holds the lock; waits for it as long as its owner lives.
 *
 * @template Result
 * @param {string} file
 * @param {() => Promise<Result>} work
 * @returns {Promise<Result>}
 */
export async function withLock(file, work) {
  let release = await tryLock(file)
  while (release === undefined) {
    await sleep(RETRY_MS)
    release = await tryLock(file)
  }
  try {
    return await work()
  } finally {
    await release()
  }
}

async function create(file) {
  try {
    const handle = await open(file, 'wx')
    await handle.writeFile(String(process.pid))
    await handle.close()
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  }
}

async function isAbandoned(file) {
  const pid = Number(await readFile(file, 'utf8').catch(() => ''))
  // No file, or an empty one: for a moment between its creation and the writing of the id.
  if (pid === 0) return false
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return error.code === 'ESRCH'
  }
}
