import { createHash, type Hash } from 'node:crypto'
import type { ReadableVolume } from '../store/volume.ts'

/**
 * A digest of a volume's content that skips what is zero, so that 8 TiB with little on them are digested in moments.
 *
 * Definition. The address space is cut into blocks of 65,536 bytes, aligned to 0; a block is clipped to the range and
 * to the volume. For every block that holds a byte other than zero, in ascending order, SHA-256 takes in: the offset
 * of the clipped block as 8 bytes big-endian, its length as 8 bytes big-endian, its bytes. Nothing else is taken in.
 *
 * So over one range two volumes have the same digest exactly if they have the same bytes there; which pages are
 * allocated does not matter, nor does the size of the volume beyond the range.
 */

export interface ContentRange {
  readonly offsetBytes: number
  readonly lengthBytes: number
}

export interface ContentDigest extends ContentRange {
  /** Lower-case hexadecimal. */
  readonly sha256: string
  /** Bytes of the blocks that went in. */
  readonly hashedBytes: number
}

const BLOCK_BYTES = 65_536
/** How much is read at once. */
const READ_BYTES = 4 * 1024 * 1024
const ZEROS = Buffer.alloc(BLOCK_BYTES)

/** The digest of a range; default: of the whole volume. Reads only what is allocated. */
export async function digestContent(volume: ReadableVolume, range?: ContentRange): Promise<ContentDigest> {
  const offsetBytes = range?.offsetBytes ?? 0
  const endBytes = range === undefined ? volume.sizeBytes : Math.min(offsetBytes + range.lengthBytes, volume.sizeBytes)
  const hash = createHash('sha256')
  let hashedBytes = 0
  for (const [startBytes, stopBytes] of stretches(volume, offsetBytes, endBytes)) {
    for (let at = startBytes; at < stopBytes; ) {
      const lengthBytes = Math.min(READ_BYTES - (at % BLOCK_BYTES), stopBytes - at)
      hashedBytes += hashBlocks(hash, await volume.read(at, lengthBytes), at)
      at += lengthBytes
    }
  }
  return { sha256: hash.digest('hex'), offsetBytes, lengthBytes: Math.max(0, endBytes - offsetBytes), hashedBytes }
}

/** What is allocated, widened to whole blocks, clipped to the range, without overlap. */
function* stretches(volume: ReadableVolume, fromBytes: number, toBytes: number): Generator<[number, number]> {
  let open: [number, number] | undefined
  for (const span of volume.pageSpans(fromBytes, toBytes)) {
    const startBytes = Math.max(fromBytes, span.startBytes - (span.startBytes % BLOCK_BYTES))
    const stopBytes = Math.min(toBytes, Math.ceil((span.endBytes + 1) / BLOCK_BYTES) * BLOCK_BYTES)
    if (open !== undefined && startBytes <= open[1]) {
      open = [open[0], Math.max(open[1], stopBytes)]
    } else {
      if (open !== undefined) yield open
      open = [startBytes, stopBytes]
    }
  }
  if (open !== undefined) yield open
}

function hashBlocks(hash: Hash, data: Buffer, offsetBytes: number): number {
  let hashedBytes = 0
  for (let at = 0; at < data.length; ) {
    const blockOffsetBytes = offsetBytes + at
    const lengthBytes = Math.min(BLOCK_BYTES - (blockOffsetBytes % BLOCK_BYTES), data.length - at)
    const block = data.subarray(at, at + lengthBytes)
    at += lengthBytes
    if (block.equals(ZEROS.subarray(0, lengthBytes))) continue
    const head = Buffer.alloc(16)
    head.writeBigUInt64BE(BigInt(blockOffsetBytes), 0)
    head.writeBigUInt64BE(BigInt(lengthBytes), 8)
    hash.update(head).update(block)
    hashedBytes += lengthBytes
  }
  return hashedBytes
}
