/** The digest table of a point against what the point holds, summed up by the local Azure's own code. */
import { expect } from '@jest/globals'
import type { AzureClients } from '../../azure/clients.ts'
import { DigestBlob } from '../../azure/digest-blob.ts'
import { createPageLists } from '../../azure/page-lists.ts'
import { clip, lengthOf, type ByteRange } from '../../domain/byte-range.ts'
import { checksumOf, ZERO } from '../../domain/crc64-algebra.ts'
import { chunkAt, chunkCount, chunkIndexAt } from '../../domain/digest-table.ts'
import type { Manifest } from '../../domain/manifest.ts'
import { DigestReader } from '../../engine/digest-reader.ts'
import { pointBlobOf, pointContentOf } from '../../engine/restore-job.ts'
import { crc64Base64 } from '../../simulator/blob-service/crc64.ts'
import { encodeChecksum } from './checksums.ts'

/** Chunks whose digest is not that of the bytes. */
export async function wrongDigests(clients: AzureClients, targetUrl: string, point: Manifest): Promise<number[]> {
  const { digests } = point
  const content = pointContentOf(targetUrl, point)
  const { blobBytes } = content
  const image = pointBlobOf({ azure: clients, pageLists: createPageLists(clients) }, content)
  const reader = new DigestReader(new DigestBlob(clients, targetUrl, digests!.name), digests!.snapshot)
  const wrong: number[] = []
  /** Of each chunk, from the first page that it holds to the last. */
  const held = new Map<number, ByteRange>()
  for await (const range of image.allocated({ startBytes: 0, endBytes: blobBytes })) {
    for (let index = chunkIndexAt(range.startBytes); index <= chunkIndexAt(range.endBytes - 1); index++) {
      const { startBytes, endBytes } = clip(range, chunkAt(index, blobBytes))!
      held.set(index, { startBytes: held.get(index)?.startBytes ?? startBytes, endBytes })
    }
  }
  for (let index = 0; index < chunkCount(blobBytes); index++) {
    const chunk = chunkAt(index, blobBytes)
    const entry = await reader.entry(index)
    const span = held.get(index)
    if (span === undefined) {
      if (entry !== undefined) wrong.push(index)
      continue
    }
    const data = Buffer.alloc(lengthOf(chunk))
    data.set(await image.read(span), span.startBytes - chunk.startBytes)
    const isZero = data.equals(Buffer.alloc(data.length))
    const told = entry === undefined ? checksumOf(ZERO, lengthOf(chunk)) : entry.kind === 'digest' ? entry.checksum : undefined
    const isRight = told !== undefined && encodeChecksum(told).toString('base64') === crc64Base64(data) && isZero === (entry === undefined)
    if (!isRight) wrong.push(index)
  }
  return wrong
}

export async function expectRightDigests(clients: AzureClients, targetUrl: string, point: Manifest): Promise<void> {
  expect([point.id, await wrongDigests(clients, targetUrl, point)]).toEqual([point.id, []])
}
