/**
 * Exports a recovery point to a VHD file on this machine: the bytes of the point, its footer at the end.
 *
 *     FILE.partial.json (which point, how far) -> FILE.partial (sparse) -> compare with the point -> FILE
 *
 * An export that stops, for whatever reason, goes on when it is started again with the same point. FILE is there only when it is
 * whole and compared. What existed is never overwritten.
 */
import { stat, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { describeRanges } from '../domain/byte-range.ts'
import { BackupError, isFailure } from '../domain/failures.ts'
import { originLabel } from '../domain/restore-request.ts'
import { compareCopy } from './compare-copy.ts'
import type { Engine } from './engine.ts'
import { keepCheckpoints, writeCheckpoint } from './export-checkpoint.ts'
import { exportRoute } from './export-route.ts'
import { asLocalFailure } from './local-failure.ts'
import { checkpointOf, finishPartial, forgetPartial, openPartial, refuseExisting, sideFileOf } from './partial-export.ts'
import { releasePoint } from './point-image.ts'
import { persist, transferPersistently, type PersistOptions } from './persist.ts'
import type { PointContent } from './restore-job.ts'
import { allocatedBytesOf } from './restore-route.ts'
import { requireUnchanged, type RestoreSource } from './restore-source.ts'
import type { SparseFile } from './sparse-file.ts'
import type { TransferState } from './transfer.ts'

export interface ExportProgress {
  readonly phase: 'transfer' | 'verify'
  readonly movedBytes: number
  readonly totalBytes: number
}

export interface ExportOptions {
  /** Where the VHD shall be. */
  readonly path: string
  readonly onProgress?: (progress: ExportProgress) => void
  readonly onRetry?: PersistOptions['onRetry']
  readonly onWarning?: (text: string) => void
  readonly signal?: AbortSignal | undefined
}

export interface ExportedFile {
  readonly path: string
  /** Length of the file, the footer included. */
  readonly fileBytes: number
  /** Blocks that the file really takes. */
  readonly allocatedBytes: number
  readonly movedBytes: number
  readonly comparedBytes: number
  readonly isResumed: boolean
}

/** `blocks` of a stat count these, whatever the file system's own are (POSIX). */
const STAT_BLOCK_BYTES = 512

/** @throws BackupError FileExists | LocalDiskFull | LocalFileFailed | VerificationFailed | BaseBlobNotClean; the signal's reason when it was aborted. */
export async function exportToFile(engine: Engine, source: RestoreSource, options: ExportOptions): Promise<ExportedFile> {
  const { path } = options
  const { content: point, origin } = source
  const label = originLabel(origin)
  await refuseExisting(path)
  const { file, resumeFrom } = await openPartial(path, point, origin.point?.id ?? label)
  try {
    const { movedBytes } = await fill(engine, { point, pointId: origin.point?.id ?? label, file, resumeFrom }, options)
    const comparedBytes = await compare(engine, { point, pointId: label, file }, options)
    await file.sync()
    await refuseChanged(engine, point, options)
    await finishPartial(path)
    const { blocks } = await stat(path)
    return {
      path,
      fileBytes: point.blobBytes,
      allocatedBytes: blocks * STAT_BLOCK_BYTES,
      movedBytes,
      comparedBytes,
      isResumed: resumeFrom !== undefined,
    }
  } finally {
    await file.close()
    await releasePoint(engine, point)
  }
}

interface OpenExport {
  readonly point: PointContent
  readonly pointId: string
  readonly file: SparseFile
  readonly resumeFrom?: TransferState | undefined
}

async function fill(engine: Engine, { point, pointId, file, resumeFrom }: OpenExport, options: ExportOptions): Promise<TransferState> {
  const { path, signal, onProgress } = options
  const totalBytes = await persist(() => allocatedBytesOf(engine, point, signal), patienceOf(options))
  await warnOfFullDisk(totalBytes - (resumeFrom?.movedBytes ?? 0), options)
  const sideFile = sideFileOf(path)
  const checkpoints = keepCheckpoints(file, (state) => writeCheckpoint(sideFile, checkpointOf(point, pointId, state)))
  try {
    return await transferPersistently(
      exportRoute(engine, point, file),
      {
        window: { startBytes: 0, endBytes: point.blobBytes },
        mode: 'stream',
        resumeFrom,
        isResumed: resumeFrom !== undefined,
        onProgress(state) {
          checkpoints.offer(state)
          onProgress?.({ phase: 'transfer', movedBytes: state.movedBytes, totalBytes })
        },
        signal,
      },
      patienceOf(options),
    )
  } finally {
    await checkpoints.close()
  }
}

/** @returns the number of bytes that were read on both sides. */
async function compare(engine: Engine, { point, pointId: label, file }: OpenExport, options: ExportOptions): Promise<number> {
  const { path, signal, onProgress } = options
  let furthestBytes = 0
  const report = (checkedBytes: number): void => {
    furthestBytes = Math.max(furthestBytes, checkedBytes)
    onProgress?.({ phase: 'verify', movedBytes: furthestBytes, totalBytes: point.blobBytes })
  }
  report(0)
  const { comparedBytes, mismatches } = await persist(
    () => compareCopy(engine, point, file, { onProgress: report, signal }),
    patienceOf(options),
  )
  if (mismatches.length === 0) return comparedBytes
  await refuseChanged(engine, point, options)
  await forgetPartial(path)
  throw new BackupError({
    type: 'VerificationFailed',
    message: `file ${path} differs from ${label} at ${describeRanges(mismatches)}; it was deleted. Check the disk it lay on; or the point is damaged, which "snapferry verify run" finds out`,
    facts: { path },
  })
}

/** What was copied of a base blob that a backup has opened since is nothing to go on from. @throws BackupError BaseBlobNotClean */
async function refuseChanged(engine: Engine, point: PointContent, { path, signal }: ExportOptions): Promise<void> {
  try {
    await requireUnchanged(engine, point, signal)
  } catch (error) {
    if (isFailure(error, 'BaseBlobNotClean')) await forgetPartial(path)
    throw error
  }
}

function patienceOf({ signal, onRetry }: ExportOptions): PersistOptions {
  return { signal, ...(onRetry && { onRetry }) }
}

async function warnOfFullDisk(neededBytes: number, { path, onWarning }: ExportOptions): Promise<void> {
  const { bavail, bsize } = await statfs(dirname(path)).catch((error: unknown) => {
    throw asLocalFailure(error, path)
  })
  const freeBytes = bavail * bsize
  if (freeBytes >= neededBytes) return
  onWarning?.(`the file system of ${path} has ${freeBytes} bytes free, and up to ${neededBytes} are still to come`)
}
