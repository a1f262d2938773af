import { statfs, type FileHandle } from 'node:fs/promises'
import { freemem } from 'node:os'
import { openUnlinked } from './unlinked-file.ts'

/**
 * A file in memory for the first bytes of a store. A new page of a file on a disk can cost the system eight times as much
 * as one of a memory file system, long before it is written anywhere.
 */
export interface MemoryFile {
  readonly handle: FileHandle
  /** How much may be written to it. */
  readonly sizeBytes: number
}

const DIRECTORY = '/dev/shm'
const MOST_BYTES = 4 * 2 ** 30
/** Of what is free, so that several stores and everybody else have room too. */
const SHARE = 1 / 8

/** Nothing where the system has no memory file system, or it is nearly full. */
export async function openMemoryFile(): Promise<MemoryFile | undefined> {
  try {
    const { bavail, bsize } = await statfs(DIRECTORY)
    const sizeBytes = Math.floor(Math.min(MOST_BYTES, SHARE * Math.min(bavail * bsize, freemem())) / 4096) * 4096
    return sizeBytes === 0 ? undefined : { handle: await openUnlinked(DIRECTORY), sizeBytes }
  } catch {
    return undefined
  }
}
