import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Keeps two processes from using one directory. The lock names a process, so one that was killed leaves no lock that
 * counts; a number that another program has been given since is taken for the killed one's, and the message says so.
 */

const LOCK_FILE = 'lock'

/** Takes the directory and gives what releases it. @throws Error when a living process has it. */
export function lockDirectory(directory: string): () => void {
  const path = join(directory, LOCK_FILE)
  const owner = readOwner(path)
  if (owner !== undefined && owner !== process.pid && isAlive(owner)) {
    throw new Error(`${directory} is in use by process ${owner}; if that is another program, delete ${path}`)
  }
  writeFileSync(path, String(process.pid))
  return () => rmSync(path, { force: true })
}

function readOwner(path: string): number | undefined {
  try {
    const pid = Number(readFileSync(path, 'utf8'))
    return Number.isInteger(pid) && pid > 0 ? pid : undefined
  } catch {
    return undefined
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // It is there, but not ours to signal.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
