/**
 * The files of an export before it is whole: `FILE.partial` and beside it the side file, `FILE.partial.json`.
 *
 * What existed is never overwritten, and a partial file is gone on with only when its side file names the same point.
 */
import { link, open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { BackupError } from '../domain/failures.ts'
import { NOTHING_MOVED, readCheckpoint, writeCheckpoint, type ExportCheckpoint } from './export-checkpoint.ts'
import { asLocalFailure, codeOf } from './local-failure.ts'
import type { PointContent } from './restore-job.ts'
import { SparseFile } from './sparse-file.ts'
import type { TransferState } from './transfer.ts'

export function partialOf(path: string): string {
  return `${path}.partial`
}

export function sideFileOf(path: string): string {
  return `${partialOf(path)}.json`
}

/**
 * A new partial file, or the one of an export of the same point that was interrupted.
 *
 * @returns the state to go on from; undefined for a new one.
 * @throws BackupError FileExists
 */
export async function openPartial(
  path: string,
  point: PointContent,
  pointId: string,
): Promise<{ file: SparseFile; resumeFrom: TransferState | undefined }> {
  const checkpoint = await readCheckpoint(sideFileOf(path))
  const file = await SparseFile.find(partialOf(path))
  if (checkpoint !== undefined && !isOf(checkpoint, point, pointId)) {
    await file?.close()
    throw new BackupError({
      type: 'FileExists',
      message: `${partialOf(path)} is of point ${checkpoint.pointId} in ${checkpoint.targetUrl}; end that export, delete the two files, or name another file`,
      facts: { path, pointId: checkpoint.pointId },
    })
  }
  if (file === undefined) {
    // The side file first: a partial file without one could be anybody's.
    await writeCheckpoint(sideFileOf(path), checkpointOf(point, pointId, NOTHING_MOVED))
    return { file: await SparseFile.create(partialOf(path), point.blobBytes), resumeFrom: undefined }
  }
  if (checkpoint !== undefined && (await file.sizeBytes()) === point.blobBytes) return { file, resumeFrom: checkpoint.state }
  await file.close()
  throw new BackupError({
    type: 'FileExists',
    message: `${partialOf(path)} exists and is not of this export; move it away, or name another file`,
    facts: { path },
  })
}

function isOf(checkpoint: ExportCheckpoint, point: PointContent, pointId: string): boolean {
  return checkpoint.targetUrl === point.targetUrl && checkpoint.pointId === pointId && checkpoint.blobSnapshot === versionOf(point)
}

export function checkpointOf(point: PointContent, pointId: string, state: TransferState): Omit<ExportCheckpoint, 'format'> {
  const { targetUrl, blobBytes } = point
  return { targetUrl, pointId, blobSnapshot: versionOf(point), blobBytes, state }
}

function versionOf({ blobs, copy, etag }: PointContent): string {
  return copy?.snapshotId ?? blobs[0]?.snapshot ?? etag ?? ''
}

/** @throws BackupError FileExists */
export async function refuseExisting(path: string): Promise<void> {
  const found = await stat(path).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined
    throw asLocalFailure(error, path)
  })
  if (found !== undefined) throw asLocalFailure(Object.assign(new Error('exists'), { code: 'EEXIST' }), path)
}

/**
 * Gives the partial file its name. A hard link never takes the place of a file that came in between; some file systems have none.
 *
 * @throws BackupError FileExists | LocalFileFailed
 */
export async function finishPartial(path: string): Promise<void> {
  try {
    await link(partialOf(path), path).then(
      () => rm(partialOf(path)),
      async (error: unknown) => {
        if (codeOf(error) === 'EEXIST') throw error
        await refuseExisting(path)
        await rename(partialOf(path), path)
      },
    )
    await rm(sideFileOf(path), { force: true })
    await syncFolder(dirname(path))
  } catch (error) {
    throw asLocalFailure(error, path)
  }
}

export async function forgetPartial(path: string): Promise<void> {
  await rm(partialOf(path), { force: true })
  await rm(sideFileOf(path), { force: true })
}

/** Makes the new name durable, on systems where folders can be opened. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => undefined)
  await folder?.sync().catch(() => undefined)
  await folder?.close()
}
