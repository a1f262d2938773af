/** Holds a recovery point against the bytes that it should have, by reading its blob snapshot. */
import { BaseBlob } from '../../azure/base-blob.ts'
import { cut, MAX_WRITE_BYTES, type ByteRange } from '../../domain/byte-range.ts'
import type { Manifest } from '../../domain/manifest.ts'
import { VHD_FOOTER_BYTES } from '../../domain/source-disk.ts'
import { hasVhdCookie } from '../../domain/vhd-footer.ts'
import type { Engine } from '../../engine/engine.ts'
import { wrongDigests } from '../support/check-digests.ts'
import { bytesAt, dataOutside, type Content } from './disk-model.ts'

/** What is wrong with the point; empty when it is right to the last byte. */
export async function faultsOfPoint(engine: Engine, targetUrl: string, point: Manifest, expected: Content): Promise<string[]> {
  const { id, sizeBytes, baseBlob } = point
  const blob = new BaseBlob(engine.azure, targetUrl, baseBlob.name)
  const allocated: ByteRange[] = []
  const window = { startBytes: 0, endBytes: baseBlob.sizeBytes }
  for await (const range of engine.pageLists.allocated(blob.pageListSource(baseBlob.snapshot), window)) allocated.push(range)

  const faults: string[] = []
  if (baseBlob.sizeBytes !== sizeBytes + VHD_FOOTER_BYTES) faults.push(`point ${id} is ${baseBlob.sizeBytes} bytes long for a disk of ${sizeBytes}`)
  if (!hasVhdCookie(await blob.read({ startBytes: sizeBytes, endBytes: baseBlob.sizeBytes }, baseBlob.snapshot))) faults.push(`point ${id} has no footer`)
  for (const offsetBytes of dataOutside(expected, allocated)) faults.push(`point ${id} has lost the page at ${offsetBytes}`)
  const pages = allocated.map(({ startBytes, endBytes }) => ({ startBytes, endBytes: Math.min(endBytes, sizeBytes) }))
  for (const range of pages.flatMap((one) => [...cut(one, MAX_WRITE_BYTES)])) {
    const held = await blob.read(range, baseBlob.snapshot)
    if (!held.equals(bytesAt(expected, range))) faults.push(`point ${id} differs in [${range.startBytes}, ${range.endBytes})`)
  }
  if (point.digests === undefined) faults.push(`point ${id} has no digests`)
  else for (const chunk of await wrongDigests(engine.azure, targetUrl, point)) faults.push(`point ${id} has a wrong digest of chunk ${chunk}`)
  return faults
}
