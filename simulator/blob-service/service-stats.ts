/** What the service has done since it began. */
export interface BlobServiceStats {
  /** Requests by operation, refused ones included. */
  readonly requests: Readonly<Record<string, number>>
  /** Refused requests by error code. */
  readonly errors: Readonly<Record<string, number>>
  readonly bytesByAccount: Readonly<Record<string, AccountBytes>>
}

export interface AccountBytes {
  /** Bodies of requests that succeeded. */
  readonly received: number
  /** Bodies of answers. */
  readonly sent: number
  /** Moved into the account by server-side copies. */
  readonly copied: number
}

export class StatsCounter {
  readonly #requests = new Map<string, number>()
  readonly #errors = new Map<string, number>()
  readonly #bytes = new Map<string, AccountBytes>()

  countRequest(operation: string, errorCode: string | undefined): void {
    this.#requests.set(operation, (this.#requests.get(operation) ?? 0) + 1)
    if (errorCode !== undefined) this.#errors.set(errorCode, (this.#errors.get(errorCode) ?? 0) + 1)
  }

  countBytes(account: string, bytes: Partial<AccountBytes>): void {
    const before = this.#bytes.get(account) ?? { received: 0, sent: 0, copied: 0 }
    this.#bytes.set(account, {
      received: before.received + (bytes.received ?? 0),
      sent: before.sent + (bytes.sent ?? 0),
      copied: before.copied + (bytes.copied ?? 0),
    })
  }

  stats(): BlobServiceStats {
    return {
      requests: Object.fromEntries(this.#requests),
      errors: Object.fromEntries(this.#errors),
      bytesByAccount: Object.fromEntries(this.#bytes),
    }
  }
}
