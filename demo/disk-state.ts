/**
 * What a disk holds at one moment, kept on the side to be compared with later: its blocks of 4 KiB that are not zeros.
 */
import { open } from 'node:fs/promises'

export const BLOCK_BYTES = 4096
const CHUNK_BYTES = 4 * 1024 * 1024
const ZEROS = Buffer.alloc(BLOCK_BYTES)

/** Blocks by number; a block that is missing is zeros. */
export type DiskState = ReadonlyMap<number, Buffer>

/** Adjacent blocks that were written (`data`) or have become zeros (no data), at most 4 MiB. */
export interface Change {
  readonly offsetBytes: number
  readonly lengthBytes: number
  readonly data: Buffer | undefined
}

/**
 * Reads an image file.
 * @param previous an earlier state; blocks that are still the same take no second place in memory
 */
export async function readState(imageFile: string, previous: DiskState = new Map()): Promise<DiskState> {
  const state = new Map<number, Buffer>()
  const image = await open(imageFile)
  try {
    const chunk = Buffer.alloc(CHUNK_BYTES)
    for (let offsetBytes = 0; ; ) {
      const { bytesRead } = await image.read(chunk, 0, CHUNK_BYTES, offsetBytes)
      if (bytesRead === 0) return state
      for (const [number, block] of blocksOf(chunk.subarray(0, bytesRead), offsetBytes)) {
        const before = previous.get(number)
        if (!isZero(block)) state.set(number, before?.equals(block) === true ? before : Buffer.from(block))
      }
      offsetBytes += bytesRead
    }
  } finally {
    await image.close()
  }
}

/** What leads from one state to another, in the order of addresses. */
export function* changesBetween(before: DiskState, after: DiskState): Generator<Change> {
  const numbers = new Set([...before.keys(), ...after.keys()])
  const changed = [...numbers].filter((number) => before.get(number) !== after.get(number)).sort((one, other) => one - other)
  for (let first = 0; first < changed.length; ) {
    const from = changed[first] ?? 0
    const isWritten = after.has(from)
    let count = 1
    while (changed[first + count] === from + count && after.has(from + count) === isWritten && count * BLOCK_BYTES < CHUNK_BYTES) count++
    const data = isWritten ? Buffer.concat(Array.from({ length: count }, (_, index) => after.get(from + index) ?? ZEROS)) : undefined
    yield { offsetBytes: from * BLOCK_BYTES, lengthBytes: count * BLOCK_BYTES, data }
    first += count
  }
}

/** How many blocks of a piece of a disk are other than in a state. */
export function countDifferences(state: DiskState, piece: Buffer, offsetBytes: number): number {
  let count = 0
  for (const [number, block] of blocksOf(piece, offsetBytes)) {
    if (!block.equals(state.get(number) ?? ZEROS)) count++
  }
  return count
}

/** The blocks of a piece with their numbers. The piece begins and ends between blocks. */
function* blocksOf(piece: Buffer, offsetBytes: number): Generator<[number, Buffer]> {
  for (let at = 0; at < piece.length; at += BLOCK_BYTES) {
    yield [(offsetBytes + at) / BLOCK_BYTES, piece.subarray(at, at + BLOCK_BYTES)]
  }
}

function isZero(block: Buffer): boolean {
  return block.equals(ZEROS)
}
