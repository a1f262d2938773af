import type { Publication } from '../../blob-service/published-blob.ts'
import type { FrozenVolume, Volume } from '../../store/volume.ts'

/**
 * Values as plain JSON, and back. What JSON does not have is an object with one key that begins with a dollar sign:
 * dates, volumes and publications by their names. An object that has such a key of its own is wrapped in `$object`.
 */

export interface NamedThings {
  volume(id: number): Volume
  frozenVolume(id: number): FrozenVolume
  /** Undefined for a publication that has ended. */
  publication(id: string): Publication | undefined
}

export function keptValue(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Date) return { $date: value.toISOString() }
  if (Array.isArray(value)) return value.map(keptValue)
  if (isPublication(value)) return { $publication: value.id }
  if (isVolume(value)) return { $volume: value.id }
  if (isFrozenVolume(value)) return { $frozen: value.id }
  const plain = mapValues(value, keptValue)
  return Object.keys(plain).some((key) => key.startsWith('$')) ? { $object: plain } : plain
}

/** @throws Error for a volume that is not known. */
export function restoredValue(kept: unknown, things: NamedThings): unknown {
  if (typeof kept !== 'object' || kept === null) return kept
  const restore = (value: unknown): unknown => restoredValue(value, things)
  if (Array.isArray(kept)) return kept.map(restore)
  const [[tag, value] = ['', undefined]] = Object.entries(kept) as Array<[string, unknown]>
  switch (tag) {
    case '$date':
      return new Date(String(value))
    case '$publication':
      return things.publication(String(value))
    case '$volume':
      return things.volume(Number(value))
    case '$frozen':
      return things.frozenVolume(Number(value))
    case '$object':
      return mapValues(value as object, restore)
    default:
      return mapValues(kept, restore)
  }
}

function mapValues(object: object, map: (value: unknown) => unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, map(value)]))
}

function isPublication(value: object): value is Publication {
  return 'withdraw' in value && typeof value.withdraw === 'function'
}

function isVolume(value: object): value is Volume {
  return 'freeze' in value && typeof value.freeze === 'function'
}

function isFrozenVolume(value: object): value is FrozenVolume {
  return 'fork' in value && typeof value.fork === 'function'
}
