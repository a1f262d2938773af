import { expect, test } from '@jest/globals'
import { rawCrc64 } from '../../azure/crc64.ts'
import { MIB, type ByteRange } from '../../domain/byte-range.ts'
import { CHUNK_BYTES, chunkAt, placeInChunk } from '../../domain/digest-table.ts'
import { ChecksumTrust, type ToldSum } from '../../engine/checksum-trust.ts'

const BLOB = Buffer.from(Array.from({ length: 2 * CHUNK_BYTES }, (_, index) => index % 251))
const signal = new AbortController().signal
const read = (bytes: Buffer) => async ({ startBytes, endBytes }: ByteRange) => bytes.subarray(startBytes, endBytes)
/** The base blob holds `BLOB`. */
const trust = (source = BLOB): ChecksumTrust => new ChecksumTrust(read(BLOB), read(source))

function told(index: number, bytes = BLOB): ToldSum {
  const chunk = chunkAt(index, BLOB.length)
  const piece = { startBytes: chunk.startBytes, endBytes: chunk.startBytes + MIB }
  const work = { ...chunk, index, written: [piece], replaced: [], keepsPages: false }
  return { work, raw: placeInChunk(rawCrc64(bytes.subarray(piece.startBytes, piece.endBytes)), piece, chunk) }
}

const OTHER = Buffer.from(BLOB.map((byte) => byte ^ 1))

test('sums that are those of the bytes are believed, at the price of one chunk', async () => {
  const ours = trust()
  await expect(ours.deserves([told(0), told(1)], signal)).resolves.toBe(true)
  expect(ours.probedBytes).toBe(MIB)
  await expect(ours.deserves([told(1)], signal)).resolves.toBe(true)
  expect(ours.probedBytes).toBe(MIB)
})

test('a service whose sums are of something else is not believed any more', async () => {
  const ours = trust()
  await expect(ours.deserves([told(0, OTHER), told(1, OTHER)], signal)).resolves.toBe(false)
  await expect(ours.deserves([told(0)], signal)).resolves.toBe(false)
})

test('a chunk that is neither as told nor as the source fails the run, with its place, also where it is the only one', async () => {
  const damaged = { type: 'VerificationFailed', facts: { startBytes: 0, endBytes: CHUNK_BYTES } }
  await expect(trust(OTHER).deserves([told(0, OTHER)], signal)).rejects.toMatchObject(damaged)
  await expect(trust(OTHER).deserves([told(0, OTHER), told(1)], signal)).rejects.toMatchObject(damaged)
})

test('where nothing was told there is nothing to doubt', async () => {
  await expect(trust().deserves([], signal)).resolves.toBe(true)
})
