import type { BlobRequest } from './blob-request.ts'
import { StorageError } from './storage-error.ts'

/** User metadata: `x-ms-meta-*` headers. Names keep their case and are equal without regard to it. */

const PREFIX = 'x-ms-meta-'
const MAX_METADATA_BYTES = 8 * 1024
/** Names are C# identifiers. */
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/

/** Empty when no metadata header is there. @throws StorageError EmptyMetadataKey, InvalidMetadata, MetadataTooLarge */
export function readMetadata(request: BlobRequest): Map<string, string> {
  const byLowerName = new Map<string, { name: string; value: string }>()
  let sizeBytes = 0
  for (const [header, value] of request.rawHeaderPairs()) {
    if (!header.toLowerCase().startsWith(PREFIX)) continue
    const name = header.slice(PREFIX.length)
    if (name === '') throw new StorageError('EmptyMetadataKey')
    if (!NAME.test(name)) throw new StorageError('InvalidMetadata')
    sizeBytes += name.length + Buffer.byteLength(value)
    const earlier = byLowerName.get(name.toLowerCase())
    byLowerName.set(
      name.toLowerCase(),
      earlier === undefined ? { name, value } : { ...earlier, value: `${earlier.value},${value}` },
    )
  }
  if (sizeBytes > MAX_METADATA_BYTES) throw new StorageError('MetadataTooLarge')
  return new Map([...byLowerName.values()].map(({ name, value }) => [name, value]))
}

export function metadataHeaders(metadata: ReadonlyMap<string, string>): Record<string, string> {
  return Object.fromEntries([...metadata].map(([name, value]) => [PREFIX + name, value]))
}
