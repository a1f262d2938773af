/** Random blocks here and there, for machines without e2fsprogs. */
import { randomBytes, randomInt } from 'node:crypto'
import { open, stat } from 'node:fs/promises'
import { BLOCK_BYTES } from './disk-state.ts'
import type { DiskContent } from './disk-content.ts'

const PIECE_BYTES = 1024 * 1024
const FIRST_PIECES = 128
const CHANGED_PIECES = 12
const CLEARED_PIECES = 8

export function createGeneratedContent(): DiskContent {
  return {
    description: 'random blocks (with e2fsprogs installed: an ext4 file system)',
    async create(imageFile, sizeBytes) {
      const image = await open(imageFile, 'w')
      await image.truncate(sizeBytes)
      await image.close()
      await writePieces(imageFile, FIRST_PIECES, () => randomBytes(PIECE_BYTES))
    },
    async change(imageFile) {
      await writePieces(imageFile, CHANGED_PIECES, () => randomBytes(randomInt(1, 64) * BLOCK_BYTES))
      await writePieces(imageFile, CLEARED_PIECES, () => Buffer.alloc(PIECE_BYTES))
    },
    inspect: async (imageFile) => `it has no file system to check; ${(await stat(imageFile)).size} bytes`,
  }
}

/** Writes pieces at the beginning of the image and at its very end, so that both borders of the disk take part. */
async function writePieces(imageFile: string, count: number, content: () => Buffer): Promise<void> {
  const image = await open(imageFile, 'r+')
  try {
    const pieces = Math.floor((await image.stat()).size / PIECE_BYTES)
    for (let index = 0; index < count; index++) {
      const piece = index === 0 ? pieces - 1 : randomInt(0, Math.min(pieces, 2 * FIRST_PIECES))
      const data = content()
      await image.write(data, 0, data.length, piece * PIECE_BYTES)
    }
  } finally {
    await image.close()
  }
}
