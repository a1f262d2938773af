import { randomBytes, randomUUID } from 'node:crypto'
import type { BlobRequest } from './blob-request.ts'
import { Account } from './model/account.ts'
import { Blob, type BlobState } from './model/blob.ts'
import { Container } from './model/container.ts'
import { ExportPages } from './model/export-pages.ts'
import type { BlobPublisher, Publication, PublishedExport, PublishedUpload } from './published-blob.ts'
import { formatSnapshotTime, type ServiceClock } from './service-clock.ts'
import { StorageError } from './storage-error.ts'

/**
 * The `md-` accounts: each publication of a disk or snapshot is an account, container and blob of its own, behind a SAS
 * whose policy name and signature are random secrets. They are compared byte for byte, and so is `snapshot`.
 */

const ACCOUNT_PREFIX = 'md-'

interface PublishedBlob {
  readonly blob: PublishedExport | PublishedUpload
  readonly account: Account
  readonly containerName: string
  readonly blobName: string
  /** What the query must hold. */
  readonly secrets: ReadonlyMap<string, string>
  readonly expiresAt: Date
}

export class Publications implements BlobPublisher {
  readonly #byAccount = new Map<string, PublishedBlob>()
  readonly #clock: ServiceClock
  readonly #baseUrl: () => string

  constructor(clock: ServiceClock, baseUrl: () => string) {
    this.#clock = clock
    this.#baseUrl = baseUrl
  }

  publish(blob: PublishedExport | PublishedUpload, durationSeconds: number): Publication {
    const accountName = `${ACCOUNT_PREFIX}${blob.kind === 'upload' ? 'impexp-' : ''}${randomBytes(6).toString('hex')}`
    const containerName = randomBytes(6).toString('hex')
    const blobName = blob.kind === 'upload' ? randomBytes(6).toString('hex') : 'abcd'
    const snapshot = blob.kind === 'export' ? formatSnapshotTime(blob.createdAt) : undefined
    const secrets = new Map([
      ...(snapshot === undefined ? [] : [['snapshot', snapshot] as const]),
      // The versions are those that real exports and uploads carry.
      ['sv', snapshot === undefined ? '2018-03-28' : '2018-11-09'],
      ['sr', snapshot === undefined ? 'b' : 'bs'],
      ['si', randomUUID()],
      ['sig', randomBytes(32).toString('base64')],
    ])
    const expiresAt = new Date(this.#clock.now().getTime() + durationSeconds * 1000)
    const account = this.#createAccount(accountName, containerName, blobName, blob, snapshot)
    this.#byAccount.set(accountName, { blob, account, containerName, blobName, secrets, expiresAt })
    const query = [...secrets].map(([key, value]) => `${key}=${encodeURIComponent(value)}`).join('&')
    return {
      sasUrl: `${this.#baseUrl()}/${accountName}/${containerName}/${blobName}?${query}`,
      expiresAt,
      withdraw: () => void this.#byAccount.delete(accountName),
    }
  }

  /** True for every name of the kind, published or not: what was withdrawn is 403, not 404. */
  owns(accountName: string): boolean {
    return accountName.startsWith(ACCOUNT_PREFIX)
  }

  account(accountName: string): Account | undefined {
    return this.#byAccount.get(accountName)?.account
  }

  /** @throws StorageError AuthenticationFailed unless the request carries the SAS of a publication that lasts. */
  require(request: BlobRequest, now: Date): PublishedBlob {
    const published = this.#byAccount.get(request.accountName)
    const isRight =
      published !== undefined &&
      now < published.expiresAt &&
      request.containerName === published.containerName &&
      request.blobName === published.blobName &&
      request.query.has('snapshot') === published.secrets.has('snapshot') &&
      [...published.secrets].every(([key, value]) => request.query.get(key) === value)
    if (!isRight) throw new StorageError('AuthenticationFailed', { reason: 'Signature did not match.' })
    return published
  }

  #createAccount(
    accountName: string,
    containerName: string,
    blobName: string,
    published: PublishedExport | PublishedUpload,
    snapshot: string | undefined,
  ): Account {
    const account = new Account({
      name: accountName,
      kind: 'ManagedDisk',
      sku: 'Standard_LRS',
      isHnsEnabled: false,
      region: '',
    })
    const now = this.#clock.now()
    const container = new Container(containerName, new Map(), this.#clock.nextETag(), now)
    const blob = new Blob(blobName)
    const createdAt = published.kind === 'export' ? published.createdAt : now
    const state: BlobState = {
      type: 'PageBlob',
      pages: published.kind === 'export' ? new ExportPages(published) : published.volume,
      sequenceNumber: 0,
      metadata: new Map(),
      http: { contentType: 'application/octet-stream' },
      etag: this.#clock.nextETag(),
      lastModified: createdAt,
      createdAt,
      generation: Symbol(blobName),
      copy: undefined,
    }
    if (snapshot === undefined) blob.base = state
    else blob.snapshots.set(snapshot, state)
    container.add(blob)
    account.containers.set(containerName, container)
    return account
  }
}
