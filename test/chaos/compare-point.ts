/** Holds a recovery point against the bytes that it should have, by reading its blob snapshots. */
import { cut, MAX_WRITE_BYTES, MIB, type ByteRange } from '../../domain/byte-range.ts'
import { pointBlobsOf, type Manifest } from '../../domain/manifest.ts'
import { VHD_FOOTER_BYTES } from '../../domain/source-disk.ts'
import { hasVhdCookie } from '../../domain/vhd-footer.ts'
import type { Engine } from '../../engine/engine.ts'
import { pointBlobOf, pointContentOf } from '../../engine/restore-job.ts'
import { wrongDigests } from '../support/check-digests.ts'
import { bytesAt, dataOutside, type Content } from './disk-model.ts'
import { sumsOfModel } from './model-digests.ts'

/** What is wrong with the point; empty when it is right to the last byte. */
export async function faultsOfPoint(engine: Engine, targetUrl: string, point: Manifest, expected: Content): Promise<string[]> {
  const { id, sizeBytes } = point
  const held = pointBlobOf(engine, pointContentOf(targetUrl, point))
  const blobBytes = pointBlobsOf(point).reduce((sum, blob) => sum + blob.sizeBytes, 0)
  const allocated: ByteRange[] = []
  for await (const range of held.allocated({ startBytes: 0, endBytes: blobBytes })) allocated.push(range)

  const faults: string[] = []
  if (blobBytes !== sizeBytes + VHD_FOOTER_BYTES) faults.push(`point ${id} is ${blobBytes} bytes long for a disk of ${sizeBytes}`)
  const footer = await held.read({ startBytes: sizeBytes, endBytes: sizeBytes + VHD_FOOTER_BYTES })
  if (!hasVhdCookie(footer)) faults.push(`point ${id} has no footer`)
  for (const offsetBytes of dataOutside(expected, allocated)) faults.push(`point ${id} has lost the page at ${offsetBytes}`)
  const pages = allocated.map(({ startBytes, endBytes }) => ({ startBytes, endBytes: Math.min(endBytes, sizeBytes) }))
  for (const range of joined(pages).flatMap((one) => [...cut(one, MAX_WRITE_BYTES)])) {
    if (!(await held.read(range)).equals(bytesAt(expected, range))) faults.push(`point ${id} differs in [${range.startBytes}, ${range.endBytes})`)
  }
  if (point.digests === undefined) return [...faults, `point ${id} has no digests`]
  const sumOf = sumsOfModel(expected, sizeBytes, footer)
  for (const chunk of await wrongDigests(engine.azure, targetUrl, point, sumOf)) faults.push(`point ${id} has a wrong digest of chunk ${chunk}`)
  return faults
}

const LONGEST_GAP_BYTES = MIB

/** What is held with the gaps in it, which read as zeros: a request a page is what these comparisons would cost. */
function joined(sorted: readonly ByteRange[]): ByteRange[] {
  const spans: ByteRange[] = []
  for (const range of sorted) {
    const last = spans.at(-1)
    if (last !== undefined && range.startBytes - last.endBytes <= LONGEST_GAP_BYTES) spans[spans.length - 1] = { startBytes: last.startBytes, endBytes: range.endBytes }
    else spans.push(range)
  }
  return spans
}
