/** The digests that a reseed compares: of the source by reading it, of the base blob from the table of its last point. */
import { readSource } from '../azure/source-blob.ts'
import { clip, lengthOf } from '../domain/byte-range.ts'
import { rawOfEntry } from '../domain/digest-table.ts'
import type { Comparison, TransferJob } from '../domain/transfer-job.ts'
import { readSum } from './chunk-sums.ts'
import { digestBlobOf } from './digest-blobs.ts'
import { DigestReader } from './digest-reader.ts'
import type { Engine } from './engine.ts'
import type { ChunkDigests } from './pass-over-equal.ts'
import { baseBlobOf } from './striped-blob.ts'

const NO_SIGNAL = new AbortController().signal

export function chunkDigestsOf(engine: Engine, job: TransferJob, { digests, readsBase }: Comparison): ChunkDigests {
  const table = digests && new DigestReader(digestBlobOf(engine, job), digests.tableSnapshot)
  const base = baseBlobOf(engine, job).at(job.baseline)
  const old = { startBytes: 0, endBytes: job.baseline.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) }
  return {
    async source(ranges, chunk, signal) {
      const url = await engine.exports.read(job.toSnapshotId, signal, job.blobBytes)
      return readSum((range, readSignal) => readSource(engine.azure, url, range, readSignal), ranges, chunk, signal ?? NO_SIGNAL)
    },
    async base(index, chunk, isUncertain, signal) {
      // What was damaged is moved also where the bytes are equal: it may be the digest that is wrong.
      if (job.mend?.some((range) => clip(range, chunk) !== undefined) === true) return undefined
      if (table !== undefined && digests !== undefined && !isUncertain) {
        const entry = await table.entry(index, signal)
        const was = clip(chunk, { startBytes: 0, endBytes: digests.sizeBytes })
        // A chunk of zeros is copied sooner than it is read.
        return entry?.kind === 'digest' && was !== undefined ? rawOfEntry(entry, lengthOf(was), lengthOf(chunk)) : undefined
      }
      const was = clip(chunk, old)
      if (!readsBase || was === undefined) return undefined
      return readSum((range, readSignal) => base.read(range, readSignal), [was], chunk, signal ?? NO_SIGNAL)
    },
  }
}
