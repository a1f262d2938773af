import type { VolumeStore } from '../store/volume-store.ts'
import type { Account } from './model/account.ts'
import type { ArrivingCopy, Blob, BlobState, CopyRecord } from './model/blob.ts'
import type { ServiceClock } from './service-clock.ts'

/**
 * Copies by Copy Blob that are under way. Nothing runs: what is copied is there from the beginning, and it takes the
 * place of the blob at the first look after its time has come. So a restart loses none.
 *
 * A copy whose source has changed meanwhile fails and leaves an empty blob, as one that is aborted does.
 */

/** Where a blob is. */
interface Place {
  readonly account: string
  readonly container: string
}

/** What keeps the end of a copy. */
interface CopyLedger {
  blobChanged(account: Account, container: string, blob: Blob): void
}

export interface PendingCopiesOptions {
  readonly accounts: ReadonlyMap<string, Account>
  readonly clock: ServiceClock
  readonly store: VolumeStore
}

export class PendingCopies {
  readonly #accounts: ReadonlyMap<string, Account>
  readonly #clock: ServiceClock
  readonly #store: VolumeStore
  readonly #places = new Map<Blob, Place>()
  #ledger: CopyLedger | undefined

  constructor(options: PendingCopiesOptions) {
    this.#accounts = options.accounts
    this.#clock = options.clock
    this.#store = options.store
  }

  /** The ledger that brings pending copies back is also told how they end. */
  keepBy(ledger: CopyLedger): void {
    this.#ledger = ledger
  }

  /** From now on, if a copy onto the blob is pending. */
  watch({ account, container }: Place, blob: Blob): void {
    if (blob.base?.arriving === undefined) this.#places.delete(blob)
    else this.#places.set(blob, { account, container })
  }

  /** Ends the copies whose time has come. */
  settle(): void {
    if (this.#places.size === 0) return
    const now = this.#clock.now()
    for (const [blob, place] of this.#places) {
      const { base } = blob
      const account = this.#accounts.get(place.account)
      const isThere = account?.containers.get(place.container)?.blob(blob.name) === blob
      if (account === undefined || !isThere || base?.arriving === undefined || base.copy === undefined) {
        this.#places.delete(blob)
      } else if (base.copy.completedAt <= now) {
        this.#places.delete(blob)
        this.#conclude(account, place, blob, this.#ended(base, base.arriving, base.copy))
      }
    }
  }

  /** The empty blob that is left of one whose copy is given up. */
  emptied(base: BlobState, copy: CopyRecord): BlobState {
    const { arriving: _, ...rest } = base
    if (rest.type === 'BlockBlob') return { ...rest, blocks: [], copy }
    return { ...rest, pages: this.#store.createVolume(0), copy }
  }

  #ended(base: BlobState, { state, origin }: ArrivingCopy, copy: CopyRecord): BlobState {
    const source =
      origin && this.#accounts.get(origin.account)?.containers.get(origin.container)?.blob(origin.blob)?.base
    if (origin !== undefined && source?.etag !== origin.etag) {
      const cause = source === undefined ? '404 BlobNotFound' : '412 PreconditionFailed'
      const description = `${cause} "Copy failed when reading the source."`
      return this.emptied(base, { ...copy, status: 'failed', description, copiedBytes: 0 })
    }
    return { ...state, copy: { ...copy, status: 'success', copiedBytes: copy.totalBytes } }
  }

  #conclude(account: Account, place: Place, blob: Blob, state: BlobState): void {
    blob.base = { ...state, etag: this.#clock.nextETag(), lastModified: state.copy?.completedAt ?? this.#clock.now() }
    this.#ledger?.blobChanged(account, place.container, blob)
  }
}

/** How much has been copied. */
export function copiedBytes({ status, ...copy }: CopyRecord, nowMs: number): number {
  if (status !== 'pending') return copy.copiedBytes
  const startedMs = copy.startedAt.getTime()
  const wholeMs = copy.completedAt.getTime() - startedMs
  return Math.floor(copy.totalBytes * Math.min(1, (nowMs - startedMs) / wholeMs))
}
