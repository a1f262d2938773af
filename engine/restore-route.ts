/**
 * The route of a restore: from the blob snapshot of a point into the upload blob of a new disk.
 *
 * The storage service copies, authorised for the source by our own bearer token; where the destination refuses that, bytes are
 * streamed. Holes of the point are cleared where the upload blob is not known to be empty: an upload blob may hold old data
 * (azcopy's destPageRangeOptimizer exists for that reason), and it takes no conditions, so only holes are ever cleared and a
 * late request can do no harm.
 */
import { UploadBlob } from '../azure/upload-blob.ts'
import { lengthOf, type ByteRange } from '../domain/byte-range.ts'
import { isFailure } from '../domain/failures.ts'
import { sweep } from '../domain/sweep.ts'
import { VHD_FOOTER_BYTES } from '../domain/source-disk.ts'
import type { Change } from '../domain/transfer-plan.ts'
import type { Engine } from './engine.ts'
import { pointImageOf } from './point-image.ts'
import type { PointContent, RestoreJob } from './restore-job.ts'
import { within } from './source-changes.ts'
import type { Route } from './transfer.ts'

/** @param repair write these ranges again instead of everything. */
export function restoreRoute(engine: Engine, job: RestoreJob, repair?: readonly ByteRange[]): Route {
  const point = pointImageOf(engine, job)
  const flow = engine.flows.open(job.toDiskId)
  let uploadUrl = ''
  const upload = new UploadBlob(engine.azure, () => uploadUrl)
  return {
    destinations: 1,
    flowOf: () => flow,
    async *changes(window, _isResumed, signal) {
      uploadUrl = await engine.exports.write(job.toDiskId, signal)
      const pages = point.allocated(window, signal)
      const asked = repair === undefined ? heldPages(engine, uploadUrl, window, signal) : within(window, repair)
      for await (const { startBytes, endBytes, at } of sweep({ pages, footer: within(window, [restoreFooterOf(job)]), asked })) {
        if (repair !== undefined && at.asked === undefined) continue
        const isData = at.pages !== undefined || at.footer !== undefined
        yield { kind: isData ? 'copy' : 'clear', startBytes, endBytes } satisfies Change
      }
    },
    async send(request, signal, streamed) {
      if (request.kind === 'clear') return upload.clear(request, signal)
      if (streamed !== undefined) return upload.write(request.startBytes, streamed, signal)
      const { url, offsetBytes, sourceAuthorization } = await point.sourceOf(request, signal)
      await upload.copyFrom(url, request, { sourceOffsetBytes: offsetBytes, sourceAuthorization, signal })
    },
    read: (range, signal) => point.read(range, signal),
    async renew(signal) {
      // A second SAS may end the first, which the requests of other extents use.
      return (await point.renew(signal)) || (await engine.exports.renew(job.toDiskId, uploadUrl, signal)) !== uploadUrl
    },
  }
}

export function restoreFooterOf(job: PointContent): ByteRange {
  return { startBytes: job.blobBytes - VHD_FOOTER_BYTES, endBytes: job.blobBytes }
}

/** What the upload blob holds already; where it will not tell, everything may hold something. */
export async function* heldPages(engine: Engine, uploadUrl: string, window: ByteRange, signal?: AbortSignal): AsyncGenerator<ByteRange> {
  let listedBytes = window.startBytes
  try {
    for await (const range of engine.pageLists.allocated({ url: uploadUrl, auth: 'sas' }, window, signal)) {
      listedBytes = range.endBytes
      yield range
    }
  } catch (error) {
    if (!isFailure(error, 'ExportAccessLost', 'AccessDenied', 'AzureRefused')) throw error
    if (listedBytes < window.endBytes) yield { startBytes: listedBytes, endBytes: window.endBytes }
  }
}

export async function allocatedBytesOf(engine: Engine, job: PointContent, signal?: AbortSignal): Promise<number> {
  let sum = 0
  const window = { startBytes: 0, endBytes: job.blobBytes }
  for await (const range of pointImageOf(engine, job).allocated(window, signal)) sum += lengthOf(range)
  return sum
}
