import { randomBytes, randomUUID } from 'node:crypto'
import type { Journal, JournalPart, WriteEntry } from '../state/journal.ts'
import type { VolumeStore } from '../store/volume-store.ts'
import type { BlobRequest } from './blob-request.ts'
import { keptPublished, restoredPublished, type KeptPublished } from './kept/kept-publication.ts'
import type { Account } from './model/account.ts'
import { createPublishedAccount, publishedSnapshotTime, type PublishedPath } from './published-account.ts'
import type { BlobPublisher, Publication, PublishedExport, PublishedUpload } from './published-blob.ts'
import type { ServiceClock } from './service-clock.ts'
import { StorageError } from './storage-error.ts'

/**
 * The `md-` accounts: each publication of a disk or snapshot is an account, container and blob of its own, behind a SAS
 * whose policy name and signature are random secrets. They are compared byte for byte, and so is `snapshot`.
 */

const ACCOUNT_PREFIX = 'md-'

/** All of a publication that must be kept. */
interface PublishedBlob {
  readonly path: PublishedPath
  readonly blob: PublishedExport | PublishedUpload
  /** What the query must hold. */
  readonly secrets: ReadonlyMap<string, string>
  readonly expiresAt: Date
}

type PublicationEntry =
  | {
      readonly kind: 'published'
      readonly path: PublishedPath
      readonly blob: KeptPublished
      readonly secrets: readonly (readonly [string, string])[]
      readonly expiresAt: string
    }
  | { readonly kind: 'withdrawn'; readonly account: string }

export interface PublicationsOptions {
  readonly clock: ServiceClock
  readonly baseUrl: () => string
  readonly store: VolumeStore
  readonly journal: Journal
}

export class Publications implements BlobPublisher, JournalPart<PublicationEntry> {
  readonly name = 'publications'
  readonly #byAccount = new Map<string, PublishedBlob & { readonly account: Account }>()
  readonly #clock: ServiceClock
  readonly #baseUrl: () => string
  readonly #store: VolumeStore
  readonly #isKept: boolean
  readonly #write: WriteEntry<PublicationEntry>

  constructor(options: PublicationsOptions) {
    this.#clock = options.clock
    this.#baseUrl = options.baseUrl
    this.#store = options.store
    this.#isKept = options.journal.isKept
    this.#write = options.journal.join<PublicationEntry>(this)
  }

  publish(blob: PublishedExport | PublishedUpload, durationSeconds: number): Publication {
    const isUpload = blob.kind === 'upload'
    const snapshot = publishedSnapshotTime(blob)
    const published: PublishedBlob = {
      path: {
        account: `${ACCOUNT_PREFIX}${isUpload ? 'impexp-' : ''}${randomBytes(6).toString('hex')}`,
        container: randomBytes(6).toString('hex'),
        blob: isUpload ? randomBytes(6).toString('hex') : 'abcd',
      },
      blob,
      secrets: new Map([
        ...(snapshot === undefined ? [] : [['snapshot', snapshot] as const]),
        // The versions are those that real exports and uploads carry.
        ['sv', isUpload ? '2018-03-28' : '2018-11-09'],
        ['sr', isUpload ? 'b' : 'bs'],
        ['si', randomUUID()],
        ['sig', randomBytes(32).toString('base64')],
      ]),
      expiresAt: new Date(this.#clock.now().getTime() + durationSeconds * 1000),
    }
    this.#put(published)
    if (this.#isKept) this.#write(entryOf(published))
    return this.#publicationOf(published)
  }

  /** The SAS has run out from now on. */
  expire(accountName: string): void {
    const published = this.#byAccount.get(accountName)
    if (published === undefined) return
    const ended = { ...published, expiresAt: this.#clock.now() }
    this.#byAccount.set(accountName, ended)
    if (this.#isKept) this.#write(entryOf(ended))
  }

  find(id: string): Publication | undefined {
    const published = this.#byAccount.get(id)
    return published === undefined ? undefined : this.#publicationOf(published)
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
      request.containerName === published.path.container &&
      request.blobName === published.path.blob &&
      request.query.has('snapshot') === published.secrets.has('snapshot') &&
      [...published.secrets].every(([key, value]) => request.query.get(key) === value)
    if (!isRight) throw new StorageError('AuthenticationFailed', { reason: 'Signature did not match.' })
    return published
  }

  apply(entry: PublicationEntry): void {
    if (entry.kind === 'withdrawn') {
      this.#byAccount.delete(entry.account)
      return
    }
    this.#put({
      path: entry.path,
      blob: restoredPublished(entry.blob, this.#store),
      secrets: new Map(entry.secrets),
      expiresAt: new Date(entry.expiresAt),
    })
  }

  *entries(): Generator<PublicationEntry> {
    const now = this.#clock.now()
    for (const published of this.#byAccount.values()) {
      if (published.expiresAt > now) yield entryOf(published)
    }
  }

  #put(published: PublishedBlob): void {
    const { path, blob } = published
    this.#byAccount.set(path.account, { ...published, account: createPublishedAccount(path, blob, this.#clock) })
  }

  #publicationOf({ path, secrets, expiresAt }: PublishedBlob): Publication {
    const baseUrl = this.#baseUrl
    const byAccount = this.#byAccount
    return {
      id: path.account,
      // The port is known only when the service listens, which may be after the journal was loaded.
      get sasUrl() {
        const query = [...secrets].map(([key, value]) => `${key}=${encodeURIComponent(value)}`).join('&')
        return `${baseUrl()}/${path.account}/${path.container}/${path.blob}?${query}`
      },
      get expiresAt() {
        return byAccount.get(path.account)?.expiresAt ?? expiresAt
      },
      withdraw: () => {
        if (this.#byAccount.delete(path.account)) this.#write({ kind: 'withdrawn', account: path.account })
      },
    }
  }
}

function entryOf({ path, blob, secrets, expiresAt }: PublishedBlob): PublicationEntry {
  return {
    kind: 'published',
    path,
    blob: keptPublished(blob),
    secrets: [...secrets],
    expiresAt: expiresAt.toISOString(),
  }
}
