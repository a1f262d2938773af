import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { isFailure } from '../../domain/failures.ts'
import { parseTargetUrl, type TargetUrl } from '../../domain/target-url.ts'
import { TARGET } from './support/builders.ts'

const HOST_STYLE: TargetUrl = {
  url: TARGET,
  account: 'account',
  container: 'backups',
  serviceUrl: 'https://account.blob.core.windows.net',
}
const PATH_STYLE: TargetUrl = {
  url: 'https://localhost:10000/account/backups',
  account: 'account',
  container: 'backups',
  serviceUrl: 'https://localhost:10000/account',
}

function refusalOf(text: string): string {
  try {
    parseTargetUrl(text)
  } catch (error) {
    if (isFailure(error, 'InvalidTarget')) return error.message
    throw error
  }
  return ''
}

test.each<[string, TargetUrl]>([
  [TARGET, HOST_STYLE],
  [`${TARGET}/`, HOST_STYLE],
  [`  ${TARGET}\n`, HOST_STYLE],
  ['HTTPS://Account.Blob.Core.Windows.NET:443/backups', HOST_STYLE],
  ['https://localhost:10000/account/backups', PATH_STYLE],
  ['https://localhost:10000//account/backups/', PATH_STYLE],
  [
    'http://127.0.0.1:10000/account/backups',
    {
      url: 'http://127.0.0.1:10000/account/backups',
      account: 'account',
      container: 'backups',
      serviceUrl: 'http://127.0.0.1:10000/account',
    },
  ],
  [
    'https://account.z12.blob.storage.azure.net/backups',
    {
      url: 'https://account.z12.blob.storage.azure.net/backups',
      account: 'account',
      container: 'backups',
      serviceUrl: 'https://account.z12.blob.storage.azure.net',
    },
  ],
])('%s is a target', (text, expected) => {
  expect(parseTargetUrl(text)).toEqual(expected)
})

test('the canonical URL of a target is a target of the same URL', () => {
  fc.assert(
    fc.property(fc.constantFrom(HOST_STYLE, PATH_STYLE), ({ url }) => {
      expect(parseTargetUrl(url).url).toBe(url)
    }),
  )
})

describe('what is no target is refused, and why', () => {
  test.each([
    ['', 'not an http(s) URL'],
    ['account/backups', 'not an http(s) URL'],
    ['ftp://account.blob.core.windows.net/backups', 'not an http(s) URL'],
    ['https://account.blob.core.windows.net', 'one container'],
    ['https://account.blob.core.windows.net/', 'one container'],
    [`${TARGET}/folder`, 'nothing below it'],
    ['https://localhost:10000/account/backups/folder', 'one container'],
    ['https://localhost:10000/backups', 'no account'],
    ['https://127.0.0.1:10000/backups', 'no account'],
    ['https://[::1]:10000/backups', 'no account'],
    [`${TARGET}#top`, 'must not carry'],
  ])('%s', (text, words) => {
    expect(refusalOf(text)).toContain(words)
  })

  test.each(['Backups', '$root', '$web', 'a', 'ab', 'a--b', '-ab', 'ab-', 'a_b', 'a.b', 'x'.repeat(64), 'b%20c'])(
    'a container named %s',
    (container) => {
      expect(refusalOf(`https://account.blob.core.windows.net/${container}`)).toContain('is not a container name')
    },
  )

  test.each(['abc', '0-0', 'x'.repeat(63)])('but not a container named %s', (container) => {
    expect(refusalOf(`https://account.blob.core.windows.net/${container}`)).toBe('')
  })
})

test.each([
  ['a SAS', `${TARGET}?sv=2024-11-04&sig=c2VjcmV0`],
  ['a SAS behind a fragment', `${TARGET}#?sig=c2VjcmV0`],
  ['a user and a password', 'https://me:c2VjcmV0@account.blob.core.windows.net/backups'],
  ['a password alone', 'https://:c2VjcmV0@account.blob.core.windows.net/backups'],
])('%s is refused and not repeated', (_what, text) => {
  const message = refusalOf(text)
  expect(message).toContain('must not carry')
  expect(message).toContain('account.blob.core.windows.net/backups')
  expect(message).not.toContain('c2VjcmV0')
})
