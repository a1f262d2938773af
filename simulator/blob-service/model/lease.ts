import { randomUUID } from 'node:crypto'
import { StorageError } from '../storage-error.ts'

/**
 * The lease of a blob: the state machine of learn.microsoft.com/rest/api/storageservices/lease-blob, with its two
 * tables of outcomes. Time is given by the caller in milliseconds; nothing runs in the background.
 */

export type LeaseState = 'available' | 'leased' | 'expired' | 'breaking' | 'broken'

/** Times are milliseconds since 1970. */
export interface HeldLease {
  readonly id: string
  /** Undefined: never ends by itself. */
  readonly durationMs: number | undefined
  /** Infinity for one that never ends. */
  readonly endsAtMs: number
  /** Set once the lease has been broken; it is locked until then. */
  readonly brokenAtMs: number | undefined
}

export class Lease {
  #held: HeldLease | undefined

  /** What must be kept of it; undefined when nobody ever held it, or the last holder is forgotten. */
  get held(): HeldLease | undefined {
    return this.#held
  }

  /** Makes it what it was when it was kept. */
  restore(held: HeldLease | undefined): void {
    this.#held = held
  }

  state(nowMs: number): LeaseState {
    const held = this.#held
    if (held === undefined) return 'available'
    if (held.brokenAtMs !== undefined) return nowMs < held.brokenAtMs ? 'breaking' : 'broken'
    return nowMs < held.endsAtMs ? 'leased' : 'expired'
  }

  isLocked(nowMs: number): boolean {
    const state = this.state(nowMs)
    return state === 'leased' || state === 'breaking'
  }

  get isInfinite(): boolean {
    return this.#held !== undefined && this.#held.durationMs === undefined
  }

  /** Gives the id. `durationMs` undefined is for ever. */
  acquire(nowMs: number, durationMs: number | undefined, proposedId: string | undefined): string {
    const state = this.state(nowMs)
    const isSameId = proposedId !== undefined && sameId(proposedId, this.#held?.id)
    if (state === 'breaking') {
      throw new StorageError(isSameId ? 'LeaseIsBreakingAndCannotBeAcquired' : 'LeaseAlreadyPresent')
    }
    if (state === 'leased' && !isSameId) throw new StorageError('LeaseAlreadyPresent')
    const id = proposedId ?? randomUUID()
    this.#held = { id, durationMs, endsAtMs: endOf(nowMs, durationMs), brokenAtMs: undefined }
    return id
  }

  renew(nowMs: number, id: string): string {
    const held = this.#require(id)
    if (held.brokenAtMs !== undefined) throw new StorageError('LeaseIsBrokenAndCannotBeRenewed')
    this.#held = { ...held, endsAtMs: endOf(nowMs, held.durationMs) }
    return held.id
  }

  change(nowMs: number, id: string, proposedId: string): string {
    const held = this.#held
    const state = this.state(nowMs)
    if (state === 'breaking') throw new StorageError('LeaseIsBreakingAndCannotBeChanged')
    if (held === undefined || state !== 'leased') throw new StorageError('LeaseNotPresentWithLeaseOperation')
    if (!sameId(id, held.id) && !sameId(proposedId, held.id)) {
      throw new StorageError('LeaseIdMismatchWithLeaseOperation')
    }
    this.#held = { ...held, id: proposedId }
    return proposedId
  }

  release(id: string): void {
    this.#require(id)
    this.#held = undefined
  }

  /**
   * Gives the seconds until the lease is broken. Without a period, what is left of it; an infinite one ends at once.
   */
  break(nowMs: number, periodMs: number | undefined): number {
    const held = this.#held
    if (held === undefined) throw new StorageError('LeaseNotPresentWithLeaseOperation')
    const state = this.state(nowMs)
    const present =
      state === 'breaking' ? (held.brokenAtMs ?? nowMs) : held.durationMs === undefined ? Infinity : held.endsAtMs
    const wanted = periodMs === undefined ? (present === Infinity ? nowMs : present) : nowMs + periodMs
    const brokenAtMs = state === 'broken' || state === 'expired' ? nowMs : Math.max(nowMs, Math.min(present, wanted))
    this.#held = { ...held, brokenAtMs }
    return Math.ceil((brokenAtMs - nowMs) / 1000)
  }

  /** @throws StorageError 412 when a write with this lease id (or none) is not allowed. */
  checkWrite(nowMs: number, id: string | undefined): void {
    if (id === undefined) {
      if (this.isLocked(nowMs)) throw new StorageError('LeaseIdMissing')
    } else this.checkRead(nowMs, id)
  }

  /** A read needs no lease id; one that is given must be right. */
  checkRead(nowMs: number, id: string | undefined): void {
    if (id === undefined) return
    if (this.#held === undefined) throw new StorageError('LeaseNotPresentWithBlobOperation')
    if (!this.isLocked(nowMs)) throw new StorageError('LeaseLost')
    if (!sameId(id, this.#held.id)) throw new StorageError('LeaseIdMismatchWithBlobOperation')
  }

  /** A write after the lease ended forgets it, so that it cannot be renewed any more. */
  afterWrite(nowMs: number): void {
    if (this.#held !== undefined && !this.isLocked(nowMs)) this.#held = undefined
  }

  #require(id: string): HeldLease {
    if (this.#held === undefined || !sameId(id, this.#held.id)) {
      throw new StorageError('LeaseIdMismatchWithLeaseOperation')
    }
    return this.#held
  }
}

function endOf(nowMs: number, durationMs: number | undefined): number {
  return durationMs === undefined ? Infinity : nowMs + durationMs
}

function sameId(one: string, other: string | undefined): boolean {
  return one.toLowerCase() === other?.toLowerCase()
}
