/**
 * A page blob of the target that runs write in turns: a stripe of a base blob, or what lies beside it.
 *
 * Every write of pages carries the epoch it belongs to (`x-ms-if-sequence-number-eq`), every other change the ETag it
 * was decided on: a zombie's or a late request is refused as FencedOut. What is conditional on an ETag is sent once,
 * because a repetition would meet its own outcome; the caller reads again and decides anew.
 */
import type { PageBlobClient } from '@azure/storage-blob'
import type { ByteRange } from '../domain/byte-range.ts'
import type { Word64 } from '../domain/crc64-algebra.ts'
import { BackupError, isFailure } from '../domain/failures.ts'
import { BLOB_DELETE, BLOB_READ, BLOB_WRITE } from './actions.ts'
import { orUndefined } from './arm-call.ts'
import { listBlobs } from './blob-lists.ts'
import { callStorage, ONCE, PATIENT, type StorageCall } from './call.ts'
import type { AzureClients } from './clients.ts'
import { isConditionRefused } from './condition-refused.ts'
import { deleteIfThere } from './delete-blob.ts'
import { downloadRange } from './download.ts'
import type { PageListSource } from './page-lists.ts'
import { clearPages, copyPages, FENCED, writePages, type CopyOptions, type Reach } from './page-writes.ts'

export interface FencedBlobProps {
  readonly sizeBytes: number
  /** The epoch. */
  readonly sequenceNumber: number
  readonly etag: string
  readonly metadata: Readonly<Record<string, string>>
}

export interface NewBlob {
  readonly sizeBytes: number
  readonly epoch: number
  readonly metadata: Readonly<Record<string, string>>
}

export interface BlobSnapshot {
  /** The value of `x-ms-snapshot`. */
  readonly snapshot: string
  readonly metadata: Readonly<Record<string, string>>
}

export class FencedBlob {
  readonly name: string
  readonly url: string
  readonly #azure: AzureClients
  readonly #targetUrl: string
  readonly #client: PageBlobClient
  /** By `x-ms-snapshot`: making one costs as much as a small request. */
  readonly #snapshotClients = new Map<string, PageBlobClient>()
  readonly #reach: Reach = (send) => send(this.#client)

  constructor(azure: AzureClients, targetUrl: string, blobName: string) {
    this.#azure = azure
    this.#targetUrl = targetUrl
    this.#client = azure.container(targetUrl).getPageBlobClient(blobName)
    this.name = blobName
    this.url = this.#client.url
  }

  /**
   * @returns undefined where there is no such blob.
   * @throws BackupError BaseBlobForeign | TargetNotFound
   */
  async properties(signal?: AbortSignal): Promise<FencedBlobProps | undefined> {
    const call = { ...this.#call('read', BLOB_READ, signal), retry: PATIENT, notFound: 'PointNotFound' } as const
    const found = await orUndefined('PointNotFound', () =>
      callStorage(call, (abortSignal) => this.#client.getProperties({ abortSignal })),
    )
    if (found === undefined) return undefined
    if (found.blobType !== undefined && found.blobType !== 'PageBlob') throw foreignBlob(this.name, 'it is no page blob')
    return {
      sizeBytes: found.contentLength ?? 0,
      sequenceNumber: found.blobSequenceNumber ?? 0,
      etag: found.etag ?? '',
      metadata: found.metadata ?? {},
    }
  }

  /** Makes the blob in one call. @returns false where a blob was there already: it is left as it is. */
  async createBlob({ sizeBytes, epoch, metadata }: NewBlob, signal?: AbortSignal): Promise<boolean> {
    try {
      await callStorage(this.#call('create', BLOB_WRITE, signal), (abortSignal) =>
        this.#client.create(sizeBytes, {
          metadata: { ...metadata },
          blobSequenceNumber: epoch,
          conditions: { ifNoneMatch: '*' },
          abortSignal,
        }),
      )
      return true
    } catch (error) {
      if (isConditionRefused(error) && (await this.properties(signal)) !== undefined) return false
      throw error
    }
  }

  /** Set Blob Properties: growing keeps all pages, shrinking those that are left. @throws BackupError FencedOut */
  async resize(sizeBytes: number, etag: string, signal?: AbortSignal): Promise<{ etag: string }> {
    const call = { ...this.#call(`resize to ${sizeBytes} bytes`, BLOB_WRITE, signal), when: FENCED }
    const answer = await callStorage(call, (abortSignal) =>
      this.#client.resize(sizeBytes, { conditions: { ifMatch: etag }, abortSignal }),
    )
    return { etag: answer.etag ?? '' }
  }

  /**
   * From here on every write of an earlier epoch is refused. To the next one, or to `epoch`, which must be higher.
   * @throws BackupError FencedOut
   */
  async raiseEpoch(etag: string, signal?: AbortSignal, epoch?: number): Promise<{ epoch: number; etag: string }> {
    const call = { ...this.#call('raise the epoch of', BLOB_WRITE, signal), when: FENCED }
    const action = epoch === undefined ? 'increment' : 'update'
    const answer = await callStorage(call, (abortSignal) =>
      this.#client.updateSequenceNumber(action, epoch, { conditions: { ifMatch: etag }, abortSignal }),
    )
    if (answer.blobSequenceNumber !== undefined) return { epoch: answer.blobSequenceNumber, etag: answer.etag ?? '' }
    const read = await this.properties(signal)
    // Not the ETag of our own change: whoever came in between has raised the epoch, too.
    if (read === undefined || (answer.etag !== undefined && read.etag !== answer.etag)) throw this.#overtaken()
    return { epoch: read.sequenceNumber, etag: read.etag }
  }

  /**
   * Raises the epoch to at least `epoch`; one that is higher stays. Needs no condition, as it never goes back.
   * @returns the epoch that stands there now.
   */
  async liftEpoch(epoch: number, signal?: AbortSignal): Promise<number> {
    const call = { ...this.#call('lift the epoch of', BLOB_WRITE, signal), retry: PATIENT }
    const answer = await callStorage(call, (abortSignal) =>
      this.#client.updateSequenceNumber('max', epoch, { abortSignal }),
    )
    return answer.blobSequenceNumber ?? (await this.properties(signal))?.sequenceNumber ?? epoch
  }

  /** Replaces the metadata. @throws BackupError FencedOut */
  async setMetadata(
    metadata: Readonly<Record<string, string>>,
    etag: string,
    doing: string,
    signal?: AbortSignal,
  ): Promise<{ etag: string }> {
    const call = { ...this.#call(doing, BLOB_WRITE, signal), when: FENCED }
    const answer = await callStorage(call, (abortSignal) =>
      this.#client.setMetadata({ ...metadata }, { conditions: { ifMatch: etag }, abortSignal }),
    )
    return { etag: answer.etag ?? '' }
  }

  /**
   * Put Page From URL; at most 4 MiB. Repeatable within its epoch.
   * @throws BackupError ExportAccessLost | ServerSideCopyRefused for the source's sake; FencedOut; AzureThrottled at
   * once
   * @returns the checksum of what was written, by the service's own word; undefined where it told none.
   */
  async copyFrom(
    sourceUrl: string,
    range: ByteRange,
    epoch: number,
    options: CopyOptions = {},
  ): Promise<Word64 | undefined> {
    return copyPages(this.#azure, this.#reach, this.name, sourceUrl, range, { ...options, epoch })
  }

  /**
   * Put Page with CRC64; at most 4 MiB. Repeatable within its epoch.
   * @throws BackupError FencedOut; AzureThrottled at once
   * @returns the checksum of the data.
   */
  async write(
    offsetBytes: number,
    data: Buffer,
    epoch: number,
    signal?: AbortSignal,
  ): Promise<Word64 | undefined> {
    return writePages(this.#reach, this.name, offsetBytes, data, { epoch, signal, isChecked: true })
  }

  /** One request however long the range is. @throws BackupError FencedOut; AzureThrottled at once */
  async clear(range: ByteRange, epoch: number, signal?: AbortSignal): Promise<void> {
    await clearPages(this.#reach, this.name, range, { epoch, signal })
  }

  /**
   * Snapshot Blob. Not idempotent: every call makes one, so after an unknown outcome look for the metadata in
   * `listSnapshots`. The snapshot has this metadata and not the base blob's.
   * @throws BackupError FencedOut
   */
  async snapshot(
    metadata: Readonly<Record<string, string>>,
    etag: string,
    signal?: AbortSignal,
  ): Promise<{ snapshot: string }> {
    const call = { ...this.#call('take a snapshot of', BLOB_WRITE, signal), when: FENCED }
    const { snapshot } = await callStorage(call, (abortSignal) =>
      this.#client.createSnapshot({ metadata: { ...metadata }, conditions: { ifMatch: etag }, abortSignal }),
    )
    if (snapshot !== undefined) return { snapshot }
    throw new BackupError({
      type: 'AzureUnavailable',
      message: `a snapshot of base blob ${this.name} was taken, but the answer does not name it; it is looked for`,
    })
  }

  /** Oldest first. Found by listing, which needs no name: a snapshot whose answer was lost is here. */
  async listSnapshots(signal?: AbortSignal): Promise<BlobSnapshot[]> {
    const snapshots: BlobSnapshot[] = []
    for await (const blob of listBlobs(
      this.#azure,
      this.#targetUrl,
      { prefix: this.name, includeSnapshots: true },
      signal,
    )) {
      // The prefix also finds blobs with longer names.
      if (blob.name === this.name && blob.snapshot !== undefined)
        snapshots.push({ snapshot: blob.snapshot, metadata: blob.metadata })
    }
    return snapshots
  }

  /** A snapshot that is gone already is fine. */
  async deleteSnapshot(snapshot: string, signal?: AbortSignal): Promise<void> {
    await deleteIfThere({ ...this.#call(`delete snapshot ${snapshot} of`, BLOB_DELETE, signal), retry: PATIENT }, this.#at(snapshot))
  }

  /**
   * Deletes the blob itself while it is as it was listed.
   * @returns false where it has changed or still has snapshots: then it stays.
   */
  async deleteUnchanged(etag: string, signal?: AbortSignal): Promise<boolean> {
    const call = { ...this.#call('delete', BLOB_DELETE, signal), when: FENCED, notFound: 'PointNotFound' } as const
    try {
      await callStorage(call, (abortSignal) => this.#client.delete({ conditions: { ifMatch: etag }, abortSignal }))
      return true
    } catch (error) {
      // SnapshotsPresent (409), ConditionNotMet (412), or a deletion whose answer was lost.
      if (isFailure(error) && [404, 409, 412].includes(Number(error.facts['status']))) return false
      throw error
    }
  }

  /** Exactly the bytes of the range. @throws BackupError PointNotFound where the blob or its snapshot is gone. */
  async read(range: ByteRange, snapshot: string | undefined, signal?: AbortSignal): Promise<Buffer> {
    const call = {
      ...this.#call(`read [${range.startBytes}, ${range.endBytes}) of`, BLOB_READ, signal),
      retry: PATIENT,
      notFound: 'PointNotFound',
    } as const
    const client = snapshot === undefined ? this.#client : this.#at(snapshot)
    return callStorage(call, (attempt) => downloadRange(client, range, attempt, call.on))
  }

  /** Bytes of a snapshot, which keeps the size that the blob had. @throws BackupError PointNotFound */
  async sizeOfSnapshot(snapshot: string, signal?: AbortSignal): Promise<number> {
    const call = {
      ...this.#call(`read the size of snapshot ${snapshot} of`, BLOB_READ, signal),
      retry: PATIENT,
      notFound: 'PointNotFound',
    } as const
    const found = await callStorage(call, (abortSignal) => this.#at(snapshot).getProperties({ abortSignal }))
    return found.contentLength ?? 0
  }

  /** Bare: whoever reads it needs a token. */
  snapshotUrl(snapshot: string): string {
    return `${this.url}?snapshot=${encodeURIComponent(snapshot)}`
  }

  pageListSource(snapshot?: string): PageListSource {
    return { url: snapshot === undefined ? this.url : this.snapshotUrl(snapshot), auth: 'bearer' }
  }

  #at(snapshot: string): PageBlobClient {
    const known = this.#snapshotClients.get(snapshot)
    if (known !== undefined) return known
    const client = this.#client.withSnapshot(snapshot)
    this.#snapshotClients.set(snapshot, client)
    return client
  }

  #call(doing: string, action: string, signal: AbortSignal | undefined): StorageCall {
    return {
      doing,
      on: `base blob ${this.name}`,
      action,
      retry: ONCE,
      signal,
      notFound: 'TargetNotFound',
      facts: { blobName: this.name },
    }
  }

  #overtaken(): BackupError {
    return new BackupError({
      type: 'FencedOut',
      message:
        `base blob ${this.name} was changed while its epoch was raised: ` +
        'another run has taken it over; this one stops',
      facts: { blobName: this.name },
    })
  }
}

export function foreignBlob(blobName: string, why: string): BackupError {
  return new BackupError({
    type: 'BaseBlobForeign',
    message: `a blob stands at ${blobName} that snapferry did not make: ${why}; move it away, or choose another container`,
    facts: { blobName },
  })
}
