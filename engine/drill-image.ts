/**
 * The folder on a worker in which the image of a drilled disk lies for as long as the user's program looks at it.
 *
 * Deleted when the work ends, however it ends. A worker that was killed cannot: the next drill on the same machine deletes it.
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { kill, pid } from 'node:process'
import { codeOf, asLocalFailure } from './local-failure.ts'
import { SparseFile } from './sparse-file.ts'

/** Processes of several containers may share a folder, but not their numbers. */
const PREFIX = `snapferry-drill-${hostname()}-`

/** @throws BackupError LocalFileFailed | LocalDiskFull */
export async function withDrillImage<Result>(sizeBytes: number, work: (image: SparseFile) => Promise<Result>): Promise<Result> {
  await deleteLeftovers()
  const folder = await mkdtemp(join(tmpdir(), `${PREFIX}${pid}-`)).catch((error: unknown) => {
    throw asLocalFailure(error, tmpdir())
  })
  try {
    const image = await SparseFile.create(join(folder, 'disk.img'), sizeBytes)
    try {
      return await work(image)
    } finally {
      await image.close()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** @returns folders that a worker on this machine has left behind or is working in. */
export async function drillFolders(): Promise<string[]> {
  const names = await readdir(tmpdir()).catch(() => [])
  return names.filter((name) => name.startsWith(PREFIX)).map((name) => join(tmpdir(), name))
}

async function deleteLeftovers(): Promise<void> {
  for (const folder of await drillFolders()) {
    const owner = Number(folder.slice(join(tmpdir(), PREFIX).length).split('-')[0])
    if (!isRunning(owner)) await rm(folder, { recursive: true, force: true })
  }
}

function isRunning(owner: number): boolean {
  try {
    kill(owner, 0)
    return true
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
}
