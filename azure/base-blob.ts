/**
 * The base blob of a chain: everything that is done to the page blob in the target.
 *
 * Every write of pages carries the epoch it belongs to (`x-ms-if-sequence-number-eq`), every other change the ETag it
 * was decided on: a zombie's or a late request is refused as FencedOut. What is conditional on an ETag is sent once,
 * because a repetition would meet its own outcome; the caller reads again and decides anew.
 */
import type { PageBlobClient } from '@azure/storage-blob'
import { decodeBaseBlobState, encodeBaseBlobState, type BaseBlobState } from '../domain/base-blob-state.ts'
import type { ByteRange } from '../domain/byte-range.ts'
import type { Word64 } from '../domain/crc64-algebra.ts'
import { BackupError, isFailure } from '../domain/failures.ts'
import { BLOB_DELETE, BLOB_READ, BLOB_WRITE } from './actions.ts'
import { orUndefined } from './arm-call.ts'
import { listBlobs } from './blob-lists.ts'
import { callStorage, ONCE, PATIENT, type StorageCall } from './call.ts'
import type { AzureClients } from './clients.ts'
import { downloadRange } from './download.ts'
import type { PageListSource } from './page-lists.ts'
import { clearPages, copyPages, FENCED, writePages, type CopyOptions, type Reach } from './page-writes.ts'

export interface BaseBlobProps {
  readonly sizeBytes: number
  /** The epoch. */
  readonly sequenceNumber: number
  readonly etag: string
  /** undefined: the metadata is not snapferry's. */
  readonly state: BaseBlobState | undefined
  readonly metadata: Readonly<Record<string, string>>
}

export interface BlobSnapshot {
  /** The value of `x-ms-snapshot`. */
  readonly snapshot: string
  readonly metadata: Readonly<Record<string, string>>
}

export class BaseBlob {
  readonly name: string
  readonly url: string
  readonly #azure: AzureClients
  readonly #targetUrl: string
  readonly #client: PageBlobClient
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
   * @throws BackupError BaseBlobForeign | FormatNotSupported | TargetNotFound
   */
  async properties(signal?: AbortSignal): Promise<BaseBlobProps | undefined> {
    const call = { ...this.#call('read', BLOB_READ, signal), retry: PATIENT, notFound: 'PointNotFound' } as const
    const found = await orUndefined('PointNotFound', () =>
      callStorage(call, (abortSignal) => this.#client.getProperties({ abortSignal })),
    )
    if (found === undefined) return undefined
    if (found.blobType !== undefined && found.blobType !== 'PageBlob') throw this.#foreign('it is no page blob')
    const metadata = found.metadata ?? {}
    return {
      sizeBytes: found.contentLength ?? 0,
      sequenceNumber: found.blobSequenceNumber ?? 0,
      etag: found.etag ?? '',
      state: decodeBaseBlobState(this.name, metadata),
      metadata,
    }
  }

  /**
   * Makes the blob with its state, in one call. Its epochs begin at the present millisecond, so that a late write that
   * was meant for a deleted namesake is refused as well. A base blob of the same disk that is there already is left as
   * it is: its size and state are to be read.
   * @throws BackupError BaseBlobForeign
   */
  async create(sizeBytes: number, state: BaseBlobState, signal?: AbortSignal): Promise<void> {
    const metadata = encodeBaseBlobState(state)
    try {
      await callStorage(this.#call('create', BLOB_WRITE, signal), (abortSignal) =>
        this.#client.create(sizeBytes, {
          metadata,
          blobSequenceNumber: Date.now(),
          conditions: { ifNoneMatch: '*' },
          abortSignal,
        }),
      )
    } catch (error) {
      // BlobAlreadyExists (409); ConditionNotMet (412) by services that judge the condition first.
      const exists = isFailure(error) && (error.facts['status'] === 409 || error.facts['status'] === 412)
      const found = exists ? await this.properties(signal) : undefined
      if (found === undefined) throw error
      if (found.state?.diskUniqueId !== state.diskUniqueId) throw this.#foreign('it is not of this disk')
    }
  }

  /** Set Blob Properties: growing keeps all pages. @throws BackupError FencedOut */
  async resize(sizeBytes: number, etag: string, signal?: AbortSignal): Promise<{ etag: string }> {
    const call = { ...this.#call(`resize to ${sizeBytes} bytes`, BLOB_WRITE, signal), when: FENCED }
    const answer = await callStorage(call, (abortSignal) =>
      this.#client.resize(sizeBytes, { conditions: { ifMatch: etag }, abortSignal }),
    )
    return { etag: answer.etag ?? '' }
  }

  /** From here on every write of an earlier epoch is refused. @throws BackupError FencedOut */
  async raiseEpoch(etag: string, signal?: AbortSignal): Promise<{ epoch: number; etag: string }> {
    const call = { ...this.#call('raise the epoch of', BLOB_WRITE, signal), when: FENCED }
    const answer = await callStorage(call, (abortSignal) =>
      this.#client.updateSequenceNumber('increment', undefined, { conditions: { ifMatch: etag }, abortSignal }),
    )
    if (answer.blobSequenceNumber !== undefined) return { epoch: answer.blobSequenceNumber, etag: answer.etag ?? '' }
    const read = await this.properties(signal)
    // Not the ETag of our own change: whoever came in between has raised the epoch, too.
    if (read === undefined || (answer.etag !== undefined && read.etag !== answer.etag)) throw this.#overtaken()
    return { epoch: read.sequenceNumber, etag: read.etag }
  }

  /** Replaces the state. @throws BackupError FencedOut */
  async setState(state: BaseBlobState, etag: string, signal?: AbortSignal): Promise<{ etag: string }> {
    const call = { ...this.#call(`mark as ${state.condition}`, BLOB_WRITE, signal), when: FENCED }
    const answer = await callStorage(call, (abortSignal) =>
      this.#client.setMetadata(encodeBaseBlobState(state), { conditions: { ifMatch: etag }, abortSignal }),
    )
    return { etag: answer.etag ?? '' }
  }

  /**
   * Put Page From URL, same offsets on both sides; at most 4 MiB. Repeatable within its epoch.
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
    const call = {
      ...this.#call(`delete snapshot ${snapshot} of`, BLOB_DELETE, signal),
      retry: PATIENT,
      notFound: 'PointNotFound',
    } as const
    await orUndefined('PointNotFound', () =>
      callStorage(call, (abortSignal) => this.#client.withSnapshot(snapshot).delete({ abortSignal })),
    )
  }

  /** Exactly the bytes of the range. @throws BackupError PointNotFound where the blob or its snapshot is gone. */
  async read(range: ByteRange, snapshot: string | undefined, signal?: AbortSignal): Promise<Buffer> {
    const call = {
      ...this.#call(`read [${range.startBytes}, ${range.endBytes}) of`, BLOB_READ, signal),
      retry: PATIENT,
      notFound: 'PointNotFound',
    } as const
    const client = snapshot === undefined ? this.#client : this.#client.withSnapshot(snapshot)
    return callStorage(call, (attempt) => downloadRange(client, range, attempt, call.on))
  }

  /** Bytes of a snapshot, which keeps the size that the blob had. @throws BackupError PointNotFound */
  async sizeOfSnapshot(snapshot: string, signal?: AbortSignal): Promise<number> {
    const call = {
      ...this.#call(`read the size of snapshot ${snapshot} of`, BLOB_READ, signal),
      retry: PATIENT,
      notFound: 'PointNotFound',
    } as const
    const found = await callStorage(call, (abortSignal) =>
      this.#client.withSnapshot(snapshot).getProperties({ abortSignal }),
    )
    return found.contentLength ?? 0
  }

  /** Bare: whoever reads it needs a token. */
  snapshotUrl(snapshot: string): string {
    return `${this.url}?snapshot=${encodeURIComponent(snapshot)}`
  }

  pageListSource(snapshot?: string): PageListSource {
    return { url: snapshot === undefined ? this.url : this.snapshotUrl(snapshot), auth: 'bearer' }
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

  #foreign(why: string): BackupError {
    return new BackupError({
      type: 'BaseBlobForeign',
      message:
        `a blob stands at ${this.name} that snapferry did not make: ${why}; ` +
        'move it away, or choose another container',
      facts: { blobName: this.name },
    })
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
