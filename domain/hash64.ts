/**
 * A 64-bit hash of a text as 16 hex digits: FNV-1a with a final mix, over UTF-8.
 *
 * For names only, never for proof or secrecy. Written out because names are also built inside workflows, whose sandbox
 * has no `crypto`. Fixed for ever: blob and resource names depend on it.
 */

const OFFSET = 0xcbf29ce484222325n
const PRIME = 0x100000001b3n
const MASK = 0xffffffffffffffffn

export function hash64(text: string): string {
  let hash = OFFSET
  for (const byte of new TextEncoder().encode(text)) hash = ((hash ^ BigInt(byte)) * PRIME) & MASK
  // MurmurHash3's finaliser: FNV alone spreads the last characters badly over the first digits, which names keep.
  hash = ((hash ^ (hash >> 33n)) * 0xff51afd7ed558ccdn) & MASK
  hash = ((hash ^ (hash >> 33n)) * 0xc4ceb9fe1a85ec53n) & MASK
  return (hash ^ (hash >> 33n)).toString(16).padStart(16, '0')
}
