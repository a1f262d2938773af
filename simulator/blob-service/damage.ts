import type { Reply } from './reply.ts'

/** Bytes that are not what they should be, as a broken cable, memory or disk makes them. */

/** A copy with one byte inverted; the data itself when it has no such byte. */
export function flipByte(data: Buffer, atBytes: number): Buffer {
  if (atBytes >= data.length) return data
  const damaged = Buffer.from(data)
  damaged.writeUInt8(damaged.readUInt8(atBytes) ^ 0xff, atBytes)
  return damaged
}

/** Headers stay as they are, checksums too. Text, which is XML, is left alone. */
export function withFlippedByte(reply: Reply, atBytes: number): Reply {
  const { body } = reply
  if (body === undefined || typeof body === 'string') return reply
  return { ...reply, body: Buffer.isBuffer(body) ? flipByte(body, atBytes) : flipInStream(body, atBytes) }
}

async function* flipInStream(pieces: AsyncIterable<Buffer>, atBytes: number): AsyncGenerator<Buffer> {
  let passedBytes = 0
  for await (const piece of pieces) {
    yield atBytes >= passedBytes ? flipByte(piece, atBytes - passedBytes) : piece
    passedBytes += piece.length
  }
}
