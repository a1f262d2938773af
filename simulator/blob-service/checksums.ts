import { createHash } from 'node:crypto'
import type { BlobRequest } from './blob-request.ts'
import { crc64Base64 } from './crc64.ts'
import { StorageError } from './storage-error.ts'

/**
 * Transactional checksums: MD5 or CRC64, never both. What the client sent is verified; the answer carries the same
 * kind, and CRC64 when nothing was sent (from version 2019-02-02; before, MD5).
 */

/** First version that knows `x-ms-content-crc64`. */
const CRC64_VERSION = '2019-02-02'

interface ChecksumHeaders {
  readonly md5: string
  readonly crc64: string
}

export const BODY_CHECKSUMS: ChecksumHeaders = { md5: 'content-md5', crc64: 'x-ms-content-crc64' }
export const SOURCE_CHECKSUMS: ChecksumHeaders = { md5: 'x-ms-source-content-md5', crc64: 'x-ms-source-content-crc64' }

/**
 * Verifies the data against the checksum of the request and gives the checksum header of the answer.
 *
 * @throws StorageError InvalidInput when both are given; InvalidMd5; Md5Mismatch; Crc64Mismatch.
 */
export function verifyChecksum(request: BlobRequest, data: Buffer, names: ChecksumHeaders): Record<string, string> {
  const md5 = request.header(names.md5)
  const crc64 = request.header(names.crc64)
  if (md5 !== undefined && crc64 !== undefined) {
    throw new StorageError('InvalidInput', { reason: `${names.md5} and ${names.crc64} exclude each other` })
  }
  if (md5 !== undefined) {
    if (Buffer.from(md5, 'base64').length !== 16) throw new StorageError('InvalidMd5')
    const actual = md5Base64(data)
    if (actual !== md5) throw new StorageError('Md5Mismatch')
    return { 'Content-MD5': actual }
  }
  if (crc64 === undefined && !request.isVersionAtLeast(CRC64_VERSION)) return { 'Content-MD5': md5Base64(data) }
  const actual = crc64Base64(data)
  if (crc64 !== undefined && crc64 !== actual) throw new StorageError('Crc64Mismatch')
  return { 'x-ms-content-crc64': actual }
}

export function md5Base64(data: Buffer): string {
  return createHash('md5').update(data).digest('base64')
}
