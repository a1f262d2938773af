import type { Journal, JournalPart, WriteEntry } from '../../state/journal.ts'
import type { VolumeStore } from '../../store/volume-store.ts'
import { Account, type AccountSettings } from '../model/account.ts'
import { Blob } from '../model/blob.ts'
import { Container } from '../model/container.ts'
import type { PendingCopies } from '../pending-copies.ts'
import type { ServiceClock } from '../service-clock.ts'
import {
  keptBlock,
  keptLease,
  keptState,
  restoredBlock,
  restoredLease,
  restoredState,
  type KeptBlock,
  type KeptLease,
  type KeptState,
} from './kept-state.ts'

/**
 * Storage accounts with their containers and blobs as a part of the journal. Operations tell it what they changed, in
 * the turn of the event loop in which they change it. A blob is kept without its snapshots, which never change.
 *
 * The `md-` accounts of published disks are not of it; `Publications` keeps those.
 */

/** Where a blob is. */
interface Place {
  readonly account: string
  readonly container: string
  readonly blob: string
}

type BlobEntry =
  | { readonly kind: 'account'; readonly settings: AccountSettings }
  | { readonly kind: 'accountGone'; readonly account: string }
  | {
      readonly kind: 'container'
      readonly account: string
      readonly container: string
      readonly metadata: readonly (readonly [string, string])[]
      readonly etag: string
      readonly lastModified: string
    }
  | { readonly kind: 'containerGone'; readonly account: string; readonly container: string }
  | (Place & {
      readonly kind: 'blob'
      readonly base?: KeptState
      readonly lease?: KeptLease
      readonly uncommitted?: readonly KeptBlock[]
    })
  | (Place & { readonly kind: 'blobGone' })
  | (Place & { readonly kind: 'snapshot'; readonly time: string; readonly state: KeptState })
  | (Place & { readonly kind: 'snapshotGone'; readonly time: string })

export interface BlobLedgerOptions {
  readonly journal: Journal
  readonly store: VolumeStore
  readonly clock: ServiceClock
  readonly accounts: Map<string, Account>
  readonly pendingCopies: PendingCopies
}

export class BlobLedger implements JournalPart<BlobEntry> {
  readonly name = 'blobs'
  readonly #store: VolumeStore
  readonly #clock: ServiceClock
  readonly #accounts: Map<string, Account>
  readonly #pendingCopies: PendingCopies
  readonly #isKept: boolean
  readonly #write: WriteEntry<BlobEntry>

  constructor(options: BlobLedgerOptions) {
    this.#store = options.store
    this.#clock = options.clock
    this.#accounts = options.accounts
    this.#pendingCopies = options.pendingCopies
    this.#isKept = options.journal.isKept
    this.#write = options.journal.join<BlobEntry>(this)
  }

  accountMade(account: Account): void {
    if (this.#isKept) this.#write(accountEntry(account))
  }

  accountGone(account: string): void {
    this.#write({ kind: 'accountGone', account })
  }

  containerChanged(account: string, container: Container): void {
    if (this.#isKept) this.#write(containerEntry(account, container))
  }

  containerGone(account: string, container: string): void {
    this.#write({ kind: 'containerGone', account, container })
  }

  /** Its base, its lease or its uncommitted blocks. */
  blobChanged(account: Account, container: string, blob: Blob): void {
    if (!this.#isKept || account.kind === 'ManagedDisk') return
    this.#write(blobEntry({ account: account.name, container, blob: blob.name }, blob))
  }

  /** With its snapshots. */
  blobGone(account: string, container: string, blob: string): void {
    this.#write({ kind: 'blobGone', account, container, blob })
  }

  snapshotTaken(account: string, container: string, blob: Blob, time: string): void {
    const state = blob.snapshots.get(time)
    if (!this.#isKept || state === undefined) return
    this.#write({ kind: 'snapshot', account, container, blob: blob.name, time, state: keptState(state) })
  }

  snapshotGone(account: string, container: string, blob: string, time: string): void {
    this.#write({ kind: 'snapshotGone', account, container, blob, time })
  }

  apply(entry: BlobEntry): void {
    switch (entry.kind) {
      case 'account':
        this.#accounts.set(entry.settings.name, new Account(entry.settings))
        break
      case 'accountGone':
        this.#accounts.delete(entry.account)
        break
      case 'container':
        this.#applyContainer(entry)
        break
      case 'containerGone':
        this.#accounts.get(entry.account)?.containers.delete(entry.container)
        break
      case 'blob':
        this.#applyBlob(entry)
        break
      case 'blobGone':
        this.#container(entry)?.remove(entry.blob)
        break
      case 'snapshot':
        this.#clock.goOnAfter({ snapshot: entry.time })
        this.#clock.goOnAfter(entry.state)
        this.#container(entry)?.blob(entry.blob)?.snapshots.set(entry.time, restoredState(entry.state, this.#store))
        break
      case 'snapshotGone':
        this.#container(entry)?.blob(entry.blob)?.snapshots.delete(entry.time)
        break
    }
  }

  *entries(): Generator<BlobEntry> {
    for (const account of this.#accounts.values()) {
      yield accountEntry(account)
      for (const container of account.containers.values()) {
        yield containerEntry(account.name, container)
        for (const name of container.sortedNames()) {
          const blob = container.blob(name)
          const place = { account: account.name, container: container.name, blob: name }
          if (blob !== undefined) yield* blobEntries(place, blob)
        }
      }
    }
  }

  #applyContainer(entry: BlobEntry & { kind: 'container' }): void {
    this.#clock.goOnAfter(entry)
    const containers = this.#accounts.get(entry.account)?.containers
    const metadata = new Map(entry.metadata)
    const lastModified = new Date(entry.lastModified)
    const present = containers?.get(entry.container)
    if (present === undefined) {
      containers?.set(entry.container, new Container(entry.container, metadata, entry.etag, lastModified))
    } else {
      present.metadata = metadata
      present.etag = entry.etag
      present.lastModified = lastModified
    }
  }

  #applyBlob(entry: BlobEntry & { kind: 'blob' }): void {
    const container = this.#container(entry)
    if (container === undefined) return
    const blob = container.blob(entry.blob) ?? new Blob(entry.blob)
    if (entry.base !== undefined) {
      this.#clock.goOnAfter(entry.base)
      blob.base = restoredState(entry.base, this.#store)
      this.#pendingCopies.watch(entry, blob)
    }
    blob.lease.restore(entry.lease === undefined ? undefined : restoredLease(entry.lease))
    blob.uncommittedBlocks.clear()
    for (const block of entry.uncommitted ?? []) blob.uncommittedBlocks.set(block.id, restoredBlock(block, this.#store))
    if (container.blob(entry.blob) === undefined) container.add(blob)
  }

  #container({ account, container }: { account: string; container: string }): Container | undefined {
    return this.#accounts.get(account)?.containers.get(container)
  }
}

function accountEntry(account: Account): BlobEntry {
  const { name, kind, sku, isHnsEnabled, region, resourceId } = account
  return {
    kind: 'account',
    settings: { name, kind, sku, isHnsEnabled, region, resourceId, key: account.key.toString('base64') },
  }
}

function containerEntry(account: string, container: Container): BlobEntry {
  const { name, metadata, etag, lastModified } = container
  const time = lastModified.toISOString()
  return { kind: 'container', account, container: name, metadata: [...metadata], etag, lastModified: time }
}

function* blobEntries(place: Place, blob: Blob): Generator<BlobEntry> {
  yield blobEntry(place, blob)
  for (const [time, state] of blob.snapshots) yield { kind: 'snapshot', ...place, time, state: keptState(state) }
}

function blobEntry(place: Place, blob: Blob): BlobEntry {
  const { base, lease, uncommittedBlocks } = blob
  return {
    kind: 'blob',
    ...place,
    ...(base === undefined ? {} : { base: keptState(base) }),
    ...(lease.held === undefined ? {} : { lease: keptLease(lease.held) }),
    ...(uncommittedBlocks.size === 0 ? {} : { uncommitted: [...uncommittedBlocks.values()].map(keptBlock) }),
  }
}
