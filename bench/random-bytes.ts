import { seededRandom } from '../domain/sampler.ts'

/** Bytes that look random, the same ones for the same seed. */
export function randomBytes(lengthBytes: number, seed: number): Buffer {
  const random = seededRandom(seed)
  const data = Buffer.alloc(lengthBytes)
  for (let at = 0; at + 4 <= lengthBytes; at += 4) data.writeUInt32LE(Math.floor(random() * 2 ** 32), at)
  return data
}
