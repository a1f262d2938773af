/** Reads a disk and a point's blob through their front doors and compares them, byte for byte. */
import type { BaseBlob } from '../azure/base-blob.ts'
import { cut, MAX_WRITE_BYTES, type ByteRange } from '../domain/byte-range.ts'
import type { Setting } from './setting.ts'

export interface Compared {
  readonly diskId: string
  readonly base: BaseBlob
  readonly blobSnapshot: string
  readonly range: ByteRange
}

export async function isByteEqual({ control }: Setting, { diskId, base, blobSnapshot, range }: Compared): Promise<boolean> {
  for (const piece of cut(range, MAX_WRITE_BYTES)) {
    const [source, copied] = await Promise.all([
      control.read(diskId, piece.startBytes, piece.endBytes - piece.startBytes),
      base.read(piece, blobSnapshot),
    ])
    if (!source.equals(copied)) return false
  }
  return true
}
