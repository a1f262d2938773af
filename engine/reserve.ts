/** An amount that is shared: who comes first gets what is free, and others wait in the order in which they came. */

export class Reserve {
  #free: number
  readonly #waiting: { readonly amount: number; readonly admit: () => void }[] = []

  constructor(amount: number) {
    this.#free = amount
  }

  /** Runs `work` while it holds the amount, which must not be more than there is. @throws the reason of `signal`. */
  async hold<Answer>(amount: number, signal: AbortSignal, work: () => Promise<Answer>): Promise<Answer> {
    await this.#take(amount, signal)
    try {
      return await work()
    } finally {
      this.#free += amount
      this.#admitNext()
    }
  }

  #take(amount: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1)
        reject(signal.reason)
        this.#admitNext()
      }
      const waiter = {
        amount,
        admit: () => {
          signal.removeEventListener('abort', giveUp)
          resolve()
        },
      }
      signal.addEventListener('abort', giveUp, { once: true })
      this.#waiting.push(waiter)
      this.#admitNext()
    })
  }

  #admitNext(): void {
    for (let next = this.#waiting[0]; next !== undefined && next.amount <= this.#free; next = this.#waiting[0]) {
      this.#waiting.shift()
      this.#free -= next.amount
      next.admit()
    }
  }
}
