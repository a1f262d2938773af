import type { Blob } from './blob.ts'

/** A container: properties and blobs by name. */
export class Container {
  readonly name: string
  metadata: ReadonlyMap<string, string>
  etag: string
  lastModified: Date
  readonly #blobs = new Map<string, Blob>()
  #sortedNames: string[] | undefined

  constructor(name: string, metadata: ReadonlyMap<string, string>, etag: string, lastModified: Date) {
    this.name = name
    this.metadata = metadata
    this.etag = etag
    this.lastModified = lastModified
  }

  blob(name: string): Blob | undefined {
    return this.#blobs.get(name)
  }

  add(blob: Blob): void {
    this.#blobs.set(blob.name, blob)
    this.#sortedNames = undefined
  }

  remove(name: string): void {
    this.#blobs.delete(name)
    this.#sortedNames = undefined
  }

  /** In the order of a list. */
  sortedNames(): readonly string[] {
    this.#sortedNames ??= [...this.#blobs.keys()].sort()
    return this.#sortedNames
  }
}
