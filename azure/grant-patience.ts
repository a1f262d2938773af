/** How long a SAS that somebody else has on a snapshot is respected, before it counts as left by a dead worker. */
import { isFailure } from '../domain/failures.ts'

export class GrantPatience {
  readonly #patienceMs: number
  readonly #heldSinceMs = new Map<string, number>()

  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs
  }

  /** The SAS in the way may be revoked. */
  isOver(key: string): boolean {
    const sinceMs = this.#heldSinceMs.get(key)
    return this.#patienceMs === 0 || (sinceMs !== undefined && Date.now() - sinceMs >= this.#patienceMs)
  }

  /** Notes since when a SAS of somebody else has been in the way of `act`. */
  async during<T>(key: string, act: () => Promise<T>): Promise<T> {
    try {
      const answer = await act()
      this.forget(key)
      return answer
    } catch (error) {
      const isHeld = isFailure(error, 'SnapshotAccessBusy') && error.facts['isHeld'] === true
      if (isHeld && !this.#heldSinceMs.has(key)) this.#heldSinceMs.set(key, Date.now())
      throw error
    }
  }

  forget(key: string): void {
    this.#heldSinceMs.delete(key)
  }
}
