import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { BackupError, EXIT_CODES, FAILURES, isFailure, isFailureType, redact } from '../../domain/failures.ts'

const SECRET = 'aB3%2Fx9%2BsEcReT%3D'

describe('the catalogue', () => {
  test.each(Object.entries(FAILURES))(
    '%s says whether to try again, how the command ends, and what it means',
    (type, { retry, exit, meaning }) => {
      expect(type).toMatch(/^[A-Z][A-Za-z]+$/)
      expect(['never', 'later']).toContain(retry)
      expect(EXIT_CODES[exit]).toBeGreaterThan(0)
      expect(meaning).toMatch(/^\S.{10,}[^.\s]$/)
      expect(meaning).not.toContain('\n')
    },
  )

  test('has no type that nothing ends with', async () => {
    const folders = ['activities', 'azure', 'client', 'config', 'domain', 'engine', 'temporal', 'worker', 'workflows']
    const listed = await Promise.all(folders.map(async (folder) => (await readdir(folder, { recursive: true })).map((file) => join(folder, file))))
    const files = listed.flat().filter((file) => file.endsWith('.ts') && file !== join('domain', 'failures.ts'))
    const sources = await Promise.all(files.map((file) => readFile(file, 'utf8')))
    const used = (type: string): boolean => sources.some((source) => source.includes(`'${type}'`))
    expect(Object.keys(FAILURES).filter((type) => !used(type))).toEqual([])
  })

  test('exit codes are documented, so they are pinned', () => {
    expect(EXIT_CODES).toEqual({
      ok: 0,
      unexpected: 1,
      usage: 2,
      failed: 3,
      notFound: 4,
      unreachable: 5,
      denied: 6,
      refused: 7,
      interrupted: 130,
    })
  })

  test('knows its types and nothing else', () => {
    expect(Object.keys(FAILURES).every(isFailureType)).toBe(true)
    for (const stranger of ['Other', '', 'toString', '__proto__', null, undefined])
      expect(isFailureType(stranger)).toBe(false)
  })
})

describe('a failure', () => {
  const cause = new Error('socket hang up')
  const error = new BackupError({
    type: 'AzureThrottled',
    message: 'slow down',
    facts: { status: 503 },
    retryAfterMs: 1500,
    cause,
  })

  test('carries its type, facts, pause and cause', () => {
    expect(error).toMatchObject({
      name: 'BackupError',
      type: 'AzureThrottled',
      retry: 'later',
      facts: { status: 503 },
      retryAfterMs: 1500,
    })
    expect(error.cause).toBe(cause)
    expect(new BackupError({ type: 'FencedOut', message: 'late' })).toMatchObject({
      retry: 'never',
      facts: {},
      retryAfterMs: undefined,
    })
  })

  test('is told by its types', () => {
    expect(isFailure(error)).toBe(true)
    expect(isFailure(error, 'AzureThrottled', 'FencedOut')).toBe(true)
    expect(isFailure(error, 'FencedOut')).toBe(false)
    expect(isFailure(cause)).toBe(false)
    expect(isFailure(undefined)).toBe(false)
  })

  test('holds no SAS, neither in its message nor in its facts', () => {
    const url = `https://md-1.blob.storage.azure.net/a/abcd?sv=2018-03-28&sr=b&sig=${SECRET}`
    const told = new BackupError({
      type: 'AzureRefused',
      message: `GET ${url} failed`,
      facts: { url, query: `sig=${SECRET}`, status: 403 },
    })
    expect(told.message).toBe('GET https://md-1.blob.storage.azure.net/a/abcd?… failed')
    expect(told.facts).toEqual({ url: 'https://md-1.blob.storage.azure.net/a/abcd?…', query: '…', status: 403 })
  })
})

describe('a SAS is removed', () => {
  const query = `sv=2018-03-28&sr=b&si=f1&sig=${SECRET}`
  const host = 'md-1.z12.blob.storage.azure.net/a/abcd'

  test.each([
    ['of a URL', `https://${host}?${query}`],
    ['of a URL with a snapshot', `https://${host}?snapshot=2026-03-01T02:07:29.1234567Z&${query}`],
    ['of a URL in other case', `HTTPS://${host.toUpperCase()}?${query.replace('sig', 'SIG')}`],
    ['of a URL in quotes', `read "https://${host}?${query}" failed`],
    ['of a URL in brackets', `read <https://${host}?${query}> (https://${host}?${query})`],
    ['of a URL with a port', `http://127.0.0.1:10000/${host}?${query}`],
    ['of two URLs', `from https://${host}?${query} to https://${host}?${query}`],
    ['of a URL in XML', `<CopySource>https://${host}?${query.replaceAll('&', '&amp;')}</CopySource>`],
    ['of a URL in JSON', JSON.stringify({ message: `"https://${host}?${query}"` })],
    ['of a URL in JSON that escapes its ampersands', `{"url":"https://${host}?${query.replaceAll('&', '\\u0026')}"}`],
    ['of a URL within a query', `/pagelist?prevsnapshot=${encodeURIComponent(`https://${host}?${query}`)}`],
    [
      'of a URL within a query within a query',
      `/x?u=${encodeURIComponent(encodeURIComponent(`https://${host}?${query}`))}`,
    ],
    ['of a URL that begins with it', `https://${host}?sig=${SECRET}&${query}`],
    ['of an encoded URL that begins with it', encodeURIComponent(`https://${host}?sig=${SECRET}`)],
    ['of a host without a scheme', `${host}?${query}`],
    ['of a query alone', query],
    ['of a query that begins with it', `?sig=${SECRET}&sv=2018-03-28`],
    ['of a query in JSON that escapes its ampersands', query.replaceAll('&', '\\u0026')],
    ['of an encoded query', encodeURIComponent(query)],
    ['of a header', `x-ms-copy-source: https://${host}?${query}\r\nx-ms-version: 2020-10-02`],
  ])('%s', (_where, text) => {
    const shown = redact(text)
    expect(shown).not.toContain('sEcReT')
    expect(shown).not.toMatch(/sig(=|%)/i)
    expect(redact(shown)).toBe(shown)
  })

  test('wherever in a text it stands', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.webUrl(), (before, behind, url) => {
        expect(redact(`${before} ${url}?sig=${SECRET} ${behind}`)).not.toContain('sEcReT')
      }),
    )
  })
})

test.each([
  'snapshot sf-1 of disk rg/data not created: quota of 500 reached; delete old ones or lower `keep`',
  'https://account.blob.core.windows.net/backups/disks/a/base.vhd was not there; is it new?',
  'the design=blue, signal=off and 26 sigma stay',
  '{"path":"C:\\\\disks","quote":"\\"x\\""}',
])('what is no secret is left alone: %s', (text) => {
  expect(redact(text)).toBe(text)
})

test('a log line that is JSON stays JSON', () => {
  const line = JSON.stringify({
    message: 'copy of "https://md-1.blob.storage.azure.net/a?sv=1&sig=c2VjcmV0" failed',
    next: 1,
  })
  expect(JSON.parse(redact(line))).toEqual({
    message: 'copy of "https://md-1.blob.storage.azure.net/a?…" failed',
    next: 1,
  })
})
