/**
 * The page blob that holds the digest table of a chain, beside its base blob.
 *
 * Its sequence number is the fence, four to an epoch: the epoch itself and the stage of the run. It only rises, so a late
 * write of an earlier run, or of an earlier stage of the same one, is refused.
 */
import type { PageBlobClient } from '@azure/storage-blob'
import { lengthOf, type ByteRange } from '../domain/byte-range.ts'
import { TABLE_BYTES } from '../domain/digest-table.ts'
import { BackupError } from '../domain/failures.ts'
import { BLOB_READ, BLOB_WRITE } from './actions.ts'
import { orUndefined } from './arm-call.ts'
import { callStorage, ONCE, PATIENT, type StorageCall } from './call.ts'
import type { AzureClients } from './clients.ts'
import { isConditionRefused } from './condition-refused.ts'
import { downloadRange } from './download.ts'
import { FencedBlob } from './fenced-blob.ts'
import type { PageListSource } from './page-lists.ts'
import { clearPages, FENCED, writePages } from './page-writes.ts'

/** In the order of a run. */
export const TABLE_STAGES = ['transfer', 'digest', 'sealed'] as const
export type TableStage = (typeof TABLE_STAGES)[number]

const FENCES_PER_EPOCH = 4

export class DigestBlob {
  readonly name: string
  /** Its snapshots are taken, found and deleted like those of a base blob. */
  readonly snapshots: FencedBlob
  readonly #client: PageBlobClient

  constructor(azure: AzureClients, targetUrl: string, name: string) {
    this.name = name
    this.snapshots = new FencedBlob(azure, targetUrl, name)
    this.#client = azure.container(targetUrl).getPageBlobClient(name)
  }

  /** @returns undefined where there is no table. */
  async properties(signal?: AbortSignal): Promise<{ readonly etag: string; readonly fence: number } | undefined> {
    const call = { ...this.#call('read', BLOB_READ, signal), retry: PATIENT, notFound: 'PointNotFound' } as const
    const found = await orUndefined('PointNotFound', () =>
      callStorage(call, (abortSignal) => this.#client.getProperties({ abortSignal })),
    )
    if (found === undefined) return undefined
    if (found.blobType !== undefined && found.blobType !== 'PageBlob') throw this.#foreign()
    return { etag: found.etag ?? '', fence: found.blobSequenceNumber ?? 0 }
  }

  /** Of the last run that wrote to it; 0 where there is no table. */
  async epoch(signal?: AbortSignal): Promise<number> {
    const found = await this.properties(signal)
    return Math.floor((found?.fence ?? 0) / FENCES_PER_EPOCH)
  }

  /** Makes an empty table unless there is one. Safe to run twice. @throws BackupError BaseBlobForeign */
  async create(signal?: AbortSignal): Promise<void> {
    try {
      await callStorage(this.#call('create', BLOB_WRITE, signal), (abortSignal) =>
        this.#client.create(TABLE_BYTES, { conditions: { ifNoneMatch: '*' }, abortSignal }),
      )
    } catch (error) {
      if (!isConditionRefused(error) || (await this.properties(signal)) === undefined) throw error
    }
  }

  /**
   * From here on only writes of this epoch and stage are taken. Safe to run twice.
   * @returns false where a later stage of the same epoch has begun.
   * @throws BackupError FencedOut where a later epoch has.
   */
  async raise(epoch: number, stage: TableStage, signal?: AbortSignal): Promise<boolean> {
    const call = { ...this.#call('raise the fence of', BLOB_WRITE, signal), retry: PATIENT }
    const wanted = fenceOf(epoch, stage)
    const answer = await callStorage(call, (abortSignal) =>
      this.#client.updateSequenceNumber('max', wanted, { abortSignal }),
    )
    const fence = answer.blobSequenceNumber ?? (await this.properties(signal))?.fence ?? 0
    if (fence >= fenceOf(epoch + 1, 'transfer')) throw this.#overtaken()
    return fence === wanted
  }

  /** At most 4 MiB. @throws BackupError FencedOut */
  async write(offsetBytes: number, data: Buffer, epoch: number, stage: TableStage, signal?: AbortSignal): Promise<void> {
    await writePages((send) => send(this.#client), this.name, offsetBytes, data, { epoch: fenceOf(epoch, stage), signal, isChecked: true })
  }

  /** @throws BackupError FencedOut */
  async clear(range: ByteRange, epoch: number, stage: TableStage, signal?: AbortSignal): Promise<void> {
    await clearPages((send) => send(this.#client), this.name, range, { epoch: fenceOf(epoch, stage), signal })
  }

  /** @throws BackupError PointNotFound where the table or its snapshot is gone. */
  async read(range: ByteRange, snapshot: string | undefined, signal?: AbortSignal): Promise<Buffer> {
    const doing = `read ${lengthOf(range)} bytes at ${range.startBytes} of`
    const call = { ...this.#call(doing, BLOB_READ, signal), retry: PATIENT, notFound: 'PointNotFound' } as const
    const client = snapshot === undefined ? this.#client : this.#client.withSnapshot(snapshot)
    return callStorage(call, (attempt) => downloadRange(client, range, attempt, call.on))
  }

  pageListSource(snapshot?: string): PageListSource {
    return this.snapshots.pageListSource(snapshot)
  }

  #call(doing: string, action: string, signal: AbortSignal | undefined): StorageCall {
    const facts = { blobName: this.name }
    return { doing, on: `digest table ${this.name}`, action, when: FENCED, retry: ONCE, signal, notFound: 'TargetNotFound', facts }
  }

  #foreign(): BackupError {
    return new BackupError({
      type: 'BaseBlobForeign',
      message: `a blob stands at ${this.name} that is no digest table of snapferry; move it away, or choose another container`,
      facts: { blobName: this.name },
    })
  }

  #overtaken(): BackupError {
    return new BackupError({
      type: 'FencedOut',
      message: `digest table ${this.name} was taken over by a later run; this one stops`,
      facts: { blobName: this.name },
    })
  }
}

function fenceOf(epoch: number, stage: TableStage): number {
  return epoch * FENCES_PER_EPOCH + TABLE_STAGES.indexOf(stage)
}
