/**
 * The content of a disk that a restore made, read by its SAS: while it is written, or afterwards by a grant to read. A SAS
 * that dies is taken anew, and what was being read goes on from there.
 */
import { readSource } from '../azure/source-blob.ts'
import type { ByteRange } from '../domain/byte-range.ts'
import { isFailure } from '../domain/failures.ts'
import type { PointCopy } from './compare-with-point.ts'
import type { Engine } from './engine.ts'

/** @throws BackupError ExportAccessLost where also a new SAS reads nothing. */
export async function openDiskCopy(engine: Engine, diskId: string, access: 'read' | 'write', signal?: AbortSignal): Promise<PointCopy> {
  let url = await engine.exports[access](diskId, signal)
  const renew = async (staleUrl: string): Promise<void> => {
    if (staleUrl === url) url = await engine.exports.renew(diskId, staleUrl, signal)
  }
  const allocated = (window: ByteRange, listSignal: AbortSignal | undefined): AsyncGenerator<ByteRange> =>
    engine.pageLists.allocated({ url, auth: 'sas' }, window, listSignal)
  return {
    async *allocated(window, listSignal) {
      const usedUrl = url
      let startBytes = window.startBytes
      try {
        for await (const range of allocated(window, listSignal)) {
          yield range
          startBytes = range.endBytes
        }
        return
      } catch (error) {
        if (!isFailure(error, 'ExportAccessLost')) throw error
        await renew(usedUrl)
      }
      yield* allocated({ startBytes, endBytes: window.endBytes }, listSignal)
    },
    async read(range, readSignal) {
      const usedUrl = url
      try {
        return await readSource(engine.azure, usedUrl, range, readSignal)
      } catch (error) {
        if (!isFailure(error, 'ExportAccessLost')) throw error
        await renew(usedUrl)
        return readSource(engine.azure, url, range, readSignal)
      }
    },
  }
}
