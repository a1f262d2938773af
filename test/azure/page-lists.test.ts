import { afterEach, describe, expect, test } from '@jest/globals'
import { MIB } from '../../domain/byte-range.ts'
import { createPageLists } from '../../azure/page-lists.ts'
import { clientsFor, collect, failureOf } from './support/clients.ts'
import { playScript, storageError, type Answer, type ScriptedServer } from './support/scripted-server.ts'

/** Everything that must travel as granted: escapes, mixed case, colons. */
const SAS = 'snapshot=2026-11-22T10:15:00.1234567Z&sv=2018-11-09&sr=bs&si=Ab-c&sig=aB%2BcD%2FeF%3D%3d'
const WINDOW = { startBytes: 0, endBytes: 64 * MIB }

const lists = createPageLists(clientsFor())
let server: ScriptedServer | undefined

afterEach(async () => {
  await server?.close()
  server = undefined
})

async function serve(script: readonly Answer[]): Promise<{ url: string; auth: 'sas' }> {
  server = await playScript(script)
  return { url: `${server.origin}/acct/disk/abcd?${SAS}`, auth: 'sas' }
}

type Element = ['copy' | 'clear', number, number]

/** Ends inclusive, as the service has them. */
function pageList(elements: readonly Element[], nextMarker = ''): Answer {
  const body = elements.map(([kind, start, end]) => {
    const name = kind === 'copy' ? 'PageRange' : 'ClearRange'
    return `<${name}><Start>${start}</Start><End>${end}</End></${name}>`
  })
  return {
    body: `\uFEFF<?xml version="1.0" encoding="utf-8"?><PageList>${body.join('')}<NextMarker>${nextMarker}</NextMarker></PageList>`,
  }
}

describe('page lists', () => {
  test('interleaved page and clear ranges come in address order, half-open', async () => {
    const source = await serve([
      pageList([
        ['copy', 0, 511],
        ['clear', 512, 1535],
        ['copy', 4096, 8191],
      ]),
    ])
    expect(await collect(lists.managedDiskDiff(source, 'https://x/previous?sig=p', WINDOW))).toEqual([
      { kind: 'copy', startBytes: 0, endBytes: 512 },
      { kind: 'clear', startBytes: 512, endBytes: 1536 },
      { kind: 'copy', startBytes: 4096, endBytes: 8192 },
    ])
  })

  test('both SAS travel byte for byte, with the window and the version', async () => {
    const source = await serve([pageList([])])
    const previous = `https://md-1.blob.storage.azure.net/c/abcd?${SAS}`
    await collect(lists.managedDiskDiff(source, previous, { startBytes: 512, endBytes: 4096 }))
    const [request] = server!.requests
    expect(request?.path).toBe(`/acct/disk/abcd?${SAS}&comp=pagelist&maxresults=1000`)
    expect(request?.headers).toMatchObject({
      'x-ms-previous-snapshot-url': previous,
      'x-ms-range': 'bytes=512-4095',
      'x-ms-version': '2020-10-02',
    })
  })

  test('every page is read until the marker is empty', async () => {
    const source = await serve([
      pageList([['copy', 0, 511]], 'a b&amp;c'),
      pageList([['copy', 1024, 1535]], 'second'),
      pageList([['copy', 2048, 2559]]),
    ])
    expect(await collect(lists.allocated(source, WINDOW))).toHaveLength(3)
    expect(server!.requests.map(({ path }) => path.split(/maxresults=\d+/)[1])).toEqual([
      '',
      '&marker=a%20b%26c',
      '&marker=second',
    ])
  })

  test('a short page is asked for first, so that work can begin, and then longer ones', async () => {
    const pages = [1, 2, 3, 4].map((page) => pageList([['copy', page * 512, page * 512 + 511]], `marker ${page}`))
    const source = await serve([...pages, pageList([])])
    expect(await collect(lists.allocated(source, WINDOW))).toHaveLength(4)
    const asked = server!.requests.map(({ path }) => /&maxresults=(\d+)/.exec(path)?.[1])
    expect(asked).toEqual(['1000', '3000', '5000', '5000', '5000'])
  })

  test('a page may be empty and still have a next one', async () => {
    const source = await serve([pageList([], 'more'), pageList([['copy', 512, 1023]])])
    expect(await collect(lists.allocated(source, WINDOW))).toEqual([{ startBytes: 512, endBytes: 1024 }])
  })

  test('an empty list is empty, in either spelling', async () => {
    const source = await serve([{ body: '<?xml version="1.0"?><PageList />' }, { body: '<PageList></PageList>' }])
    expect(await collect(lists.allocated(source, WINDOW))).toEqual([])
    expect(await collect(lists.allocated(source, WINDOW))).toEqual([])
  })

  test('an empty window is not asked for', async () => {
    const source = await serve([pageList([])])
    expect(await collect(lists.allocated(source, { startBytes: 512, endBytes: 512 }))).toEqual([])
    expect(server!.requests).toHaveLength(0)
  })

  test('ranges are clipped to the window of a server that answers more than it was asked for', async () => {
    const source = await serve([
      pageList(
        [
          ['copy', 0, 4095],
          ['copy', 8192, 12287],
          ['copy', 16384, 16895],
        ],
        'goes-on',
      ),
    ])
    expect(await collect(lists.allocated(source, { startBytes: 1024, endBytes: 9216 }))).toEqual([
      { startBytes: 1024, endBytes: 4096 },
      { startBytes: 8192, endBytes: 9216 },
    ])
    expect(server!.requests).toHaveLength(1)
  })

  test('a marker that comes twice is an error and not an endless loop', async () => {
    const source = await serve([pageList([['copy', 0, 511]], 'same'), pageList([['copy', 1024, 1535]], 'same')])
    expect(await failureOf(collect(lists.allocated(source, WINDOW)))).toMatchObject({ type: 'AzureUnavailable' })
  })

  test('a page that goes back is an error and not a range twice', async () => {
    const source = await serve([pageList([['copy', 4096, 8191]], 'next'), pageList([['copy', 4096, 8191]])])
    expect((await failureOf(collect(lists.allocated(source, WINDOW)))).message).toContain('goes back from 8192 to 4096')
  })

  test.each([
    [
      'cut off',
      '<?xml version="1.0"?><PageList><PageRange><Start>0</Start><End>511</End></PageRange><PageRange><Start>10',
    ],
    [
      'overlapping',
      '<PageList><PageRange><Start>0</Start><End>1023</End></PageRange><ClearRange><Start>512</Start><End>1023</End></ClearRange></PageList>',
    ],
    ['not of whole pages', '<PageList><PageRange><Start>0</Start><End>512</End></PageRange></PageList>'],
    ['without an end', '<PageList><PageRange><Start>0</Start></PageRange></PageList>'],
    ['another document', '<html><body>proxy</body></html>'],
    ['not XML', 'busy'],
    ['empty', ''],
  ])('a body that is %s is asked for again and never half a list', async (_, body) => {
    const source = await serve([{ body }, pageList([['copy', 0, 511]])])
    expect(await collect(lists.allocated(source, WINDOW))).toEqual([{ startBytes: 0, endBytes: 512 }])
  })

  test('an answer that breaks off is asked for again', async () => {
    const source = await serve([
      { ...pageList([['copy', 0, 511]]), cut: 'middle' },
      { cut: 'before' },
      pageList([['copy', 0, 511]]),
    ])
    expect(await collect(lists.allocated(source, WINDOW))).toEqual([{ startBytes: 0, endBytes: 512 }])
  })

  test('a window that times out is halved, and the list goes on behind what was read', async () => {
    const source = await serve([
      pageList([['copy', 0, 511]], 'next'),
      storageError(500, 'OperationTimedOut'),
      pageList([['copy', MIB, 2 * MIB - 1]]),
      pageList([['copy', 40 * MIB, 41 * MIB - 1]]),
    ])
    expect(await collect(lists.allocated(source, WINDOW))).toEqual([
      { startBytes: 0, endBytes: 512 },
      { startBytes: MIB, endBytes: 2 * MIB },
      { startBytes: 40 * MIB, endBytes: 41 * MIB },
    ])
    expect(server!.requests.map(({ headers }) => headers['x-ms-range'])).toEqual([
      `bytes=0-${64 * MIB - 1}`,
      `bytes=0-${64 * MIB - 1}`,
      `bytes=512-${32 * MIB + 512 - 1}`,
      `bytes=${32 * MIB + 512}-${64 * MIB - 1}`,
    ])
  })

  test.each([storageError(500, 'InternalError'), { status: 504 }, { status: 500, body: '<html>' }])(
    'a window that a server gives up on in other words (%j) is halved as well',
    async (givesUp) => {
      server = await playScript(({ headers }) => {
        const [from = 0, to = 0] = /\d+-\d+/.exec(String(headers['x-ms-range']))![0].split('-').map(Number)
        return to - from < 40 * MIB ? pageList([['copy', from, from + 511]]) : givesUp
      })
      const source = { url: `${server.origin}/acct/disk/abcd?${SAS}`, auth: 'sas' } as const
      expect(await collect(lists.allocated(source, WINDOW))).toEqual([
        { startBytes: 0, endBytes: 512 },
        { startBytes: 32 * MIB, endBytes: 32 * MIB + 512 },
      ])
    },
    60_000,
  )

  test('a marker travels as it was meant, however the server wrote it', async () => {
    const source = await serve([pageList([['copy', 0, 511]], '{&#34;at&#34;:1}'), pageList([])])
    await collect(lists.allocated(source, WINDOW))
    expect(server!.requests[1]?.path).toContain(`&marker=${encodeURIComponent('{"at":1}')}`)
  })

  test.each([
    ['PreviousSnapshotNotFound', 409],
    ['PreviousSnapshotCannotBeNewer', 400],
    ['PreviousSnapshotOperationNotSupported', 409],
    ['BlobOverwritten', 409],
    ['BlobGenerationMismatch', 409],
    ['UnsupportedHeaderForNonManagedDisksAccount', 400],
  ])('%s means that there is no diff', async (code, status) => {
    const source = await serve([storageError(status, code)])
    const failure = await failureOf(collect(lists.managedDiskDiff(source, 'https://x/p?sig=1', WINDOW)))
    expect(failure).toMatchObject({ type: 'DiffRefused', facts: { code, status } })
    expect(server!.requests).toHaveLength(1)
  })

  test.each([401, 403, 404])('a SAS that is answered by %i counts as lost', async (status) => {
    const source = await serve([storageError(status, 'AuthenticationFailed')])
    expect(await failureOf(collect(lists.allocated(source, WINDOW)))).toMatchObject({ type: 'ExportAccessLost' })
  })

  test('no failure holds the SAS', async () => {
    const source = await serve([storageError(403, 'AuthenticationFailed', `Signature did not match for ${SAS}`)])
    const failure = await failureOf(collect(lists.managedDiskDiff(source, source.url, WINDOW)))
    const everything = JSON.stringify([
      failure.message,
      failure.facts,
      failure.stack,
      String(failure.cause),
      (failure.cause as Error).stack,
    ])
    expect(everything).not.toContain('sig=')
    expect(Object.keys(failure.cause as object)).not.toContain('request')
  })

  test('a cancelled list ends with the cancellation', async () => {
    const source = await serve([{ ...pageList([]), afterMs: 5000 }])
    const controller = new AbortController()
    setTimeout(() => controller.abort(), 50)
    await expect(collect(lists.allocated(source, WINDOW, controller.signal))).rejects.toMatchObject({
      name: 'AbortError',
    })
  })
})
