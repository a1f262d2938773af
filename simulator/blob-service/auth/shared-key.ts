import { createHmac, timingSafeEqual } from 'node:crypto'
import type { BlobRequest } from '../blob-request.ts'
import type { Account } from '../model/account.ts'
import { memoized } from '../../memoized.ts'
import { StorageError } from '../storage-error.ts'

/**
 * `Authorization: SharedKey account:signature`, by
 * learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key.
 */

const SIGNED_HEADERS = [
  'content-encoding',
  'content-language',
  'content-length',
  'content-md5',
  'content-type',
  'date',
  'if-modified-since',
  'if-match',
  'if-none-match',
  'if-unmodified-since',
  'range',
]

/** @throws StorageError AuthenticationFailed */
export function verifySharedKey(request: BlobRequest, account: Account, credential: string): void {
  const [name, signature] = credential.split(':')
  const expected = signWithKey(account.key, stringToSign(request, account.name))
  if (name !== account.name || signature === undefined || !equalSignatures(signature, expected)) {
    throw new StorageError('AuthenticationFailed', {
      reason: 'The MAC signature found in the HTTP request is not the same as any computed signature.',
    })
  }
}

/** Signatures of SAS come again with every request; the texts of other requests hold a time. */
const signersByKey = new WeakMap<Buffer, (text: string) => string>()

/** As `signWithKey`, and it remembers. */
export function signAgainWithKey(key: Buffer, text: string): string {
  let sign = signersByKey.get(key)
  if (sign === undefined) {
    sign = memoized((each: string) => signWithKey(key, each))
    signersByKey.set(key, sign)
  }
  return sign(text)
}

/** HMAC-SHA256 in base64, as every signature of the storage services. */
export function signWithKey(key: Buffer, text: string): string {
  return createHmac('sha256', key).update(text, 'utf8').digest('base64')
}

export function equalSignatures(one: string, other: string): boolean {
  const left = Buffer.from(one)
  const right = Buffer.from(other)
  return left.length === right.length && timingSafeEqual(left, right)
}

function stringToSign(request: BlobRequest, accountName: string): string {
  const headers = [...request.headers]
    .filter(([name]) => name.startsWith('x-ms-'))
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, value]) => `${name}:${value.trim()}\n`)
  // The path of a path-style address repeats the account behind the account of the signature.
  const query = [...new Set([...request.query.keys()].map((key) => key.toLowerCase()))]
    .sort()
    .map((key) => `\n${key}:${valuesOf(request.query, key)}`)
  return [
    request.method,
    ...SIGNED_HEADERS.map((name) => signedValue(request, name)),
    `${headers.join('')}/${accountName}${request.encodedPath}${query.join('')}`,
  ].join('\n')
}

function signedValue(request: BlobRequest, name: string): string {
  const value = request.header(name) ?? ''
  const isLeftEmpty =
    (name === 'content-length' && value === '0') || (name === 'date' && request.header('x-ms-date') !== undefined)
  return isLeftEmpty ? '' : value
}

function valuesOf(query: URLSearchParams, lowerKey: string): string {
  return [...query]
    .filter(([key]) => key.toLowerCase() === lowerKey)
    .map(([, value]) => value)
    .sort()
    .join(',')
}
