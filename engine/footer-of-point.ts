/**
 * The VHD footer of a disk's export is made anew by Azure and tells nothing of the disk: that of the point stands in for it.
 *
 * It cannot just be left out. The last chunk of most OS disks holds bytes of the disk and the footer, with one digest, as they are no whole
 * number of GiB: `diskSizeBytes` of a disk made of a marketplace image is, for example, 136,367,308,800, that is 127 GiB and 2 MiB
 * (learn.microsoft.com/azure/databox-online/azure-stack-edge-create-virtual-machine-marketplace-image).
 */
import { lengthOf } from '../domain/byte-range.ts'
import type { PointCopy } from './compare-with-point.ts'
import type { Engine } from './engine.ts'
import { pointImageOf } from './point-image.ts'
import type { PointContent } from './restore-job.ts'
import { restoreFooterOf } from './restore-route.ts'

export function withFooterOfPoint(engine: Engine, content: PointContent, disk: PointCopy): PointCopy {
  const point = pointImageOf(engine, content)
  const footer = restoreFooterOf(content)
  return {
    async *allocated(window, signal) {
      const ofDisk = { startBytes: window.startBytes, endBytes: Math.min(window.endBytes, footer.startBytes) }
      if (lengthOf(ofDisk) > 0) yield* disk.allocated(ofDisk, signal)
      if (window.endBytes >= footer.endBytes) yield footer
    },
    async read(range, signal) {
      if (range.endBytes <= footer.startBytes) return disk.read(range, signal)
      const tail = await point.read({ startBytes: Math.max(range.startBytes, footer.startBytes), endBytes: range.endBytes }, signal)
      if (range.startBytes >= footer.startBytes) return tail
      return Buffer.concat([await disk.read({ startBytes: range.startBytes, endBytes: footer.startBytes }, signal), tail])
    },
  }
}
