/** A full copy by the engine, in turn with the raw driver that sends the same requests. */
import { BaseBlob } from '../azure/base-blob.ts'
import { getDisk } from '../azure/disks.ts'
import { cut, GIB, MAX_WRITE_BYTES, MIB } from '../domain/byte-range.ts'
import { blobBytesOf } from '../domain/source-disk.ts'
import { ONE_STRIPE } from '../domain/stripes.ts'
import type { TransferJob } from '../domain/transfer-job.ts'
import { backupRoute } from '../engine/backup-route.ts'
import { transfer } from '../engine/transfer.ts'
import { copyRaw } from './raw-driver.ts'
import { median, type Row } from './row.ts'
import type { Setting } from './setting.ts'

const SIZE_GIB = 4
/** The same as the product settles at on loopback, or more. */
const RAW_IN_FLIGHT = 8

export interface RawDriverOptions {
  readonly allocatedBytes: number
  readonly rounds: number
}

export async function measureAgainstRawDriver(setting: Setting, { allocatedBytes, rounds }: RawDriverOptions): Promise<Row[]> {
  const { engine } = setting
  const diskId = await setting.createDisk('full-copy', SIZE_GIB)
  await setting.fill(diskId, 0, allocatedBytes)
  const toSnapshotId = await setting.snapshot(diskId)
  const sourceUrl = await engine.exports.read(toSnapshotId)
  const seconds = { ours: [] as number[], raw: [] as number[] }
  for (let round = 1; round <= rounds; round++) {
    const window = { startBytes: 0, endBytes: blobBytesOf(SIZE_GIB * GIB) }
    const job = await emptyBase(setting, diskId, toSnapshotId, `ours-${round}`)
    const options = { window, isResumed: false, onProgress: () => undefined }
    seconds.ours.push(await timed(() => transfer(backupRoute(engine, job), options)))

    const rawJob = await emptyBase(setting, diskId, toSnapshotId, `raw-${round}`)
    const footer = { startBytes: window.endBytes - 512, endBytes: window.endBytes }
    const ranges = [...cut({ startBytes: 0, endBytes: allocatedBytes }, MAX_WRITE_BYTES), footer]
    const token = await engine.azure.storageToken()
    const blobUrl = new BaseBlob(engine.azure, setting.targetUrl, rawJob.baseBlobName).url
    seconds.raw.push(await timed(() => copyRaw({ sourceUrl, blobUrl, token, ranges, inFlight: RAW_IN_FLIGHT })))
  }
  await engine.exports.revoke(toSnapshotId)
  const [ours, raw] = [median(seconds.ours), median(seconds.raw)]
  const mib = allocatedBytes / MIB
  return [
    {
      name: `full copy of ${mib} MiB, unshaped, against a bare HTTP client that sends the same requests`,
      ours: `${(mib / ours).toFixed(0)} MiB/s`,
      limit: `${(mib / raw).toFixed(0)} MiB/s`,
      bindsBy: 'the local Azure on this machine',
      ratio: raw / ours,
      atLeast: 0.85,
    },
  ]
}

/** A base blob that nothing was written to. */
async function emptyBase(setting: Setting, diskId: string, toSnapshotId: string, name: string): Promise<TransferJob> {
  const { engine, targetUrl } = setting
  const { uniqueId, sizeBytes } = await getDisk(engine.azure, diskId)
  const blobBytes = blobBytesOf(sizeBytes)
  const baseBlobName = `bench/${name}.vhd`
  const base = new BaseBlob(engine.azure, targetUrl, baseBlobName)
  await base.create(blobBytes, { diskId, diskUniqueId: uniqueId, condition: 'dirty', runKey: name })
  const found = await base.properties()
  if (found === undefined) throw new Error(`base blob ${baseBlobName} was not made`)
  const { snapshot } = await base.snapshot({}, found.etag)
  const baseline = [{ snapshot, sizeBytes: blobBytes }]
  return { targetUrl, baseBlobName, striping: ONE_STRIPE, epoch: found.sequenceNumber, baseline, blobBytes, toSnapshotId }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now()
  await work()
  return (performance.now() - startedMs) / 1000
}
