/**
 * Large buffers that are used again and again. A new one of 4 MiB costs several milliseconds, since the system maps and
 * zeroes its pages one by one; that is more than reading or writing it.
 */
export class BufferPool {
  readonly #free: Buffer[] = []

  /** At least so long, with any content. */
  take(lengthBytes: number): Buffer {
    if (lengthBytes < MIN_POOLED_BYTES) return Buffer.allocUnsafe(lengthBytes)
    const index = this.#free.findIndex((buffer) => buffer.length >= lengthBytes)
    return this.#free.splice(index, index < 0 ? 0 : 1)[0] ?? Buffer.allocUnsafeSlow(lengthBytes)
  }

  /** Nobody may use it any more. */
  giveBack(buffer: Buffer): void {
    if (buffer.length < MIN_POOLED_BYTES || this.#free.length >= MAX_FREE_BUFFERS) return
    this.#free.push(buffer)
  }
}

/** What is smaller comes cheaply from Node itself. */
const MIN_POOLED_BYTES = 64 * 1024
const MAX_FREE_BUFFERS = 16
