/**
 * The side file of an unfinished export, `FILE.partial.json`: which point it is of and how far the partial file is durable.
 *
 * Written whole and renamed, so it is never half a file. It names no secret.
 */
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { z } from 'zod'
import { MIB } from '../domain/byte-range.ts'
import { BackupError } from '../domain/failures.ts'
import { asLocalFailure, codeOf } from './local-failure.ts'
import type { SparseFile } from './sparse-file.ts'
import type { TransferState } from './transfer.ts'

const FORMAT = 1

/** What a crash of the machine costs at most. */
const CHECKPOINT_EVERY_BYTES = 256 * MIB

export const NOTHING_MOVED: TransferState = { nextOffsetBytes: 0, movedBytes: 0, clearedBytes: 0, requests: 0 }

const count = z.number().int().nonnegative()

const checkpoint = z.object({
  format: z.literal(FORMAT),
  targetUrl: z.string(),
  pointId: z.string(),
  /** Of the point; of a base blob, the ETag under which it is read. */
  blobSnapshot: z.string(),
  blobBytes: count,
  /** Every byte before `nextOffsetBytes` is in the partial file for good. */
  state: z.object({ nextOffsetBytes: count, movedBytes: count, clearedBytes: count, requests: count }),
})

export type ExportCheckpoint = Readonly<z.infer<typeof checkpoint>>

/** @returns undefined where there is none. @throws BackupError FileExists where it cannot be read as one. */
export async function readCheckpoint(path: string): Promise<ExportCheckpoint | undefined> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw asLocalFailure(error, path)
  }
  try {
    return checkpoint.parse(JSON.parse(text))
  } catch (cause) {
    throw new BackupError({
      type: 'FileExists',
      message: `file ${path} is not the checkpoint of an export; move it away, or name another file`,
      facts: { path },
      cause,
    })
  }
}

export async function writeCheckpoint(path: string, value: Omit<ExportCheckpoint, 'format'>): Promise<void> {
  const fresh = `${path}.new`
  try {
    await writeFile(fresh, `${JSON.stringify({ format: FORMAT, ...value }, null, 2)}\n`, { flush: true })
    await rename(fresh, path)
  } catch (error) {
    await rm(fresh, { force: true })
    throw asLocalFailure(error, path)
  }
}

/** Saves a checkpoint now and then, and the last one at the end; only what was made durable before. */
export function keepCheckpoints(
  file: SparseFile,
  write: (state: TransferState) => Promise<void>,
): { offer(state: TransferState): void; close(): Promise<void> } {
  let newest: TransferState | undefined
  let savedBytes = 0
  let saving: Promise<void> | undefined
  const save = async (state: TransferState): Promise<void> => {
    await file.sync()
    await write(state)
  }
  return {
    offer(state: TransferState): void {
      newest = state
      if (saving !== undefined || state.movedBytes - savedBytes < CHECKPOINT_EVERY_BYTES) return
      savedBytes = state.movedBytes
      // One that cannot be saved leaves the older one, which is as true.
      saving = save(state)
        .catch(() => undefined)
        .finally(() => {
          saving = undefined
        })
    },
    async close(): Promise<void> {
      await saving
      if (newest !== undefined) await save(newest).catch(() => undefined)
    },
  }
}
