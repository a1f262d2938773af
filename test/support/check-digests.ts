/** The digest table of a point against what the point holds, summed up by the local Azure's own code. */
import { expect } from '@jest/globals'
import type { AzureClients } from '../../azure/clients.ts'
import { DigestBlob } from '../../azure/digest-blob.ts'
import { createPageLists } from '../../azure/page-lists.ts'
import { clip, lengthOf, type ByteRange } from '../../domain/byte-range.ts'
import { CHUNK_BYTES, chunkAt, chunkCount, chunkIndexAt } from '../../domain/digest-table.ts'
import type { Manifest } from '../../domain/manifest.ts'
import { DigestReader } from '../../engine/digest-reader.ts'
import { pointBlobOf, pointContentOf } from '../../engine/restore-job.ts'
import { crc64Base64 } from '../../simulator/blob-service/crc64.ts'
import { encodeChecksum } from './checksums.ts'

/** The checksum of a chunk as the local Azure's own code tells it, in base64; undefined where it is all zeros. */
export type SumOfChunk = (index: number) => Promise<string | undefined>

/** Chunks whose digest is not that of the bytes. */
export async function wrongDigests(clients: AzureClients, targetUrl: string, { digests, ...point }: Manifest, sumOf: SumOfChunk): Promise<number[]> {
  const { blobBytes } = pointContentOf(targetUrl, point)
  const reader = new DigestReader(new DigestBlob(clients, targetUrl, digests!.name), digests!.snapshot)
  const wrong: number[] = []
  for (let index = 0; index < chunkCount(blobBytes); index++) {
    const entry = await reader.entry(index)
    const sum = await sumOf(index)
    const told = entry?.kind === 'digest' ? encodeChecksum(entry.checksum).toString('base64') : entry?.kind
    if (told !== sum) wrong.push(index)
  }
  return wrong
}

/** By reading the point. */
export async function sumsOfPoint(clients: AzureClients, targetUrl: string, point: Manifest): Promise<SumOfChunk> {
  const content = pointContentOf(targetUrl, point)
  const { blobBytes } = content
  const image = pointBlobOf({ azure: clients, pageLists: createPageLists(clients) }, content)
  /** Of each chunk, from the first page that it holds to the last. */
  const held = new Map<number, ByteRange>()
  for await (const range of image.allocated({ startBytes: 0, endBytes: blobBytes })) {
    for (let index = chunkIndexAt(range.startBytes); index <= chunkIndexAt(range.endBytes - 1); index++) {
      const { startBytes, endBytes } = clip(range, chunkAt(index, blobBytes))!
      held.set(index, { startBytes: held.get(index)?.startBytes ?? startBytes, endBytes })
    }
  }
  return async (index) => {
    const span = held.get(index)
    if (span === undefined) return undefined
    const chunk = chunkAt(index, blobBytes)
    return sumOfBytes(lengthOf(chunk), [[span.startBytes - chunk.startBytes, await image.read(span)]])
  }
}

const SCRATCH = Buffer.alloc(CHUNK_BYTES)
const ZEROS = Buffer.alloc(CHUNK_BYTES)

export type Piece = readonly [offsetBytes: number, data: Buffer]

/** Of a chunk of that length which holds these pieces and zeros. */
export function sumOfBytes(lengthBytes: number, pieces: readonly Piece[]): string | undefined {
  const chunk = SCRATCH.subarray(0, lengthBytes).fill(0)
  for (const [offsetBytes, data] of pieces) chunk.set(data, offsetBytes)
  return chunk.equals(ZEROS.subarray(0, lengthBytes)) ? undefined : crc64Base64(chunk)
}

export async function expectRightDigests(clients: AzureClients, targetUrl: string, point: Manifest): Promise<void> {
  expect([point.id, await wrongDigests(clients, targetUrl, point, await sumsOfPoint(clients, targetUrl, point))]).toEqual([point.id, []])
}
