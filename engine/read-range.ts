/** Reads a range of a recovery point as a stream of buffers, in order, with several requests in flight. */
import { cut, MAX_WRITE_BYTES, type ByteRange } from '../domain/byte-range.ts'
import type { Engine } from './engine.ts'
import { pointImageOf, releasePoint } from './point-image.ts'
import type { PointContent } from './restore-job.ts'

/** Memory stays at so many pieces of 4 MiB. */
const READS_IN_FLIGHT = 8

/** @throws BackupError PointNotFound where the point was deleted meanwhile. */
export async function* readRange(engine: Engine, point: PointContent, range: ByteRange, signal?: AbortSignal): AsyncGenerator<Buffer> {
  const blob = pointImageOf(engine, point)
  const pieces = cut(range, MAX_WRITE_BYTES)
  const inFlight: Promise<Buffer>[] = []
  const start = (): void => {
    const { value, done } = pieces.next()
    if (done === true) return
    const read = blob.read(value, signal)
    // Its failure is met when its turn comes.
    read.catch(() => undefined)
    inFlight.push(read)
  }
  try {
    for (let index = 0; index < READS_IN_FLIGHT; index++) start()
    for (let next = inFlight.shift(); next !== undefined; next = inFlight.shift()) {
      const data = await next
      start()
      yield data
    }
  } finally {
    await Promise.allSettled(inFlight)
    await releasePoint(engine, point)
  }
}
