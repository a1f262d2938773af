/** The route of an export: from the blob snapshot of a point into a local file that began as one hole. */
import { sweep } from '../domain/sweep.ts'
import type { Engine } from './engine.ts'
import { pointImageOf } from './point-image.ts'
import type { PointContent } from './restore-job.ts'
import { restoreFooterOf } from './restore-route.ts'
import { within } from './source-changes.ts'
import type { SparseFile } from './sparse-file.ts'
import type { Route } from './transfer.ts'

export function exportRoute(engine: Engine, point: PointContent, file: SparseFile): Route {
  const blob = pointImageOf(engine, point)
  const flow = engine.flows.open(file.path)
  return {
    destinations: 1,
    flowOf: () => flow,
    async *changes(window, _isResumed, signal) {
      const pages = blob.allocated(window, signal)
      for await (const { startBytes, endBytes } of sweep({ pages, footer: within(window, [restoreFooterOf(point)]) })) {
        yield { kind: 'copy', startBytes, endBytes }
      }
    },
    async send(request, _signal, streamed) {
      if (streamed === undefined) throw new TypeError('no service copies into a local file: an export is streamed')
      await file.write(request.startBytes, streamed)
    },
    read: (range, signal) => blob.read(range, signal),
    renew: (signal) => blob.renew(signal),
  }
}
