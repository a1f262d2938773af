/** Reads a whole disk once and compares it, byte for byte, with what it may hold. */
import { open } from 'node:fs/promises'
import { countDifferences, type DiskState } from './disk-state.ts'
import { CHUNK_BYTES, type LocalAzure } from './local-azure.ts'

/** A disk of zeros. */
const EMPTY: DiskState = new Map()

export interface Comparison {
  readonly diskId: string
  readonly sizeBytes: number
  readonly states: readonly DiskState[]
  /** Image file to make of the disk. */
  readonly copyFile: string
}

/** @returns for each state the number of blocks of 4 KiB that differ. */
export async function compareDisk(azure: LocalAzure, { diskId, sizeBytes, states, copyFile }: Comparison): Promise<number[]> {
  let counts = states.map(() => 0)
  const copy = await open(copyFile, 'w')
  try {
    await copy.truncate(sizeBytes)
    for (let offsetBytes = 0; offsetBytes < sizeBytes; offsetBytes += CHUNK_BYTES) {
      const piece = await azure.read(diskId, offsetBytes, Math.min(CHUNK_BYTES, sizeBytes - offsetBytes))
      counts = counts.map((count, index) => count + countDifferences(states[index] ?? EMPTY, piece, offsetBytes))
      const isEmpty = countDifferences(EMPTY, piece, offsetBytes) === 0
      if (!isEmpty) await copy.write(piece, 0, piece.length, offsetBytes)
    }
  } finally {
    await copy.close()
  }
  return counts
}
