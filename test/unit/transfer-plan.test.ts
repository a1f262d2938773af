import { expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { lengthOf, MAX_WRITE_BYTES, MIB, normalize, type ByteRange } from '../../domain/byte-range.ts'
import { planRequests, type Change } from '../../domain/transfer-plan.ts'
import { collect } from './support/arbitraries.ts'

const copy = (startBytes: number, endBytes: number): Change => ({ kind: 'copy', startBytes, endBytes })
const clear = (startBytes: number, endBytes: number): Change => ({ kind: 'clear', startBytes, endBytes })

/** Changes as a diff has them, with lengths on both sides of the write limit. */
const anyChanges: fc.Arbitrary<Change[]> = fc
  .array(
    fc.record({
      kind: fc.constantFrom('copy' as const, 'clear' as const),
      gapBytes: fc.constantFrom(0, 0, 512, MIB),
      bytes: fc.oneof(
        fc.constantFrom(512, MAX_WRITE_BYTES - 512, MAX_WRITE_BYTES, 3 * MAX_WRITE_BYTES),
        fc.integer({ min: 1, max: 20_000 }).map((pages) => pages * 512),
      ),
    }),
    { maxLength: 12 },
  )
  .map((steps) => {
    let atBytes = 0
    return steps.map(({ kind, gapBytes, bytes }) => {
      const startBytes = atBytes + gapBytes
      atBytes = startBytes + bytes
      return { kind, startBytes, endBytes: atBytes }
    })
  })

const cover = (changes: readonly Change[], kind: Change['kind']): ByteRange[] =>
  normalize(changes.filter((change) => change.kind === kind))

test('the requests cover exactly what the changes cover, kind by kind', async () => {
  await fc.assert(
    fc.asyncProperty(anyChanges, async (changes) => {
      const requests = await collect(planRequests(changes))
      expect(cover(requests, 'copy')).toEqual(cover(changes, 'copy'))
      expect(cover(requests, 'clear')).toEqual(cover(changes, 'clear'))
    }),
  )
})

test('requests come in address order, never overlap, and no copy leaves its chunk of 4 MiB', async () => {
  await fc.assert(
    fc.asyncProperty(anyChanges, async (changes) => {
      let endBytes = 0
      for await (const request of planRequests(changes)) {
        expect(request.startBytes).toBeGreaterThanOrEqual(endBytes)
        expect(lengthOf(request)).toBeGreaterThan(0)
        if (request.kind === 'copy') expect(request.endBytes).toBeLessThanOrEqual((Math.floor(request.startBytes / MAX_WRITE_BYTES) + 1) * MAX_WRITE_BYTES)
        endBytes = request.endBytes
      }
    }),
  )
})

test('no two neighbouring requests of one chunk could have been one', async () => {
  await fc.assert(
    fc.asyncProperty(anyChanges, async (changes) => {
      const requests = await collect(planRequests(changes))
      for (const [index, request] of requests.entries()) {
        const next = requests[index + 1]
        if (next === undefined || next.kind !== request.kind || next.startBytes !== request.endBytes) continue
        expect(request.kind).toBe('copy')
        expect(next.startBytes % MAX_WRITE_BYTES).toBe(0)
      }
    }),
  )
})

test.each<[string, Change[], Change[]]>([
  ['nothing asks for nothing', [], []],
  ['a change of exactly 4 MiB is one request', [copy(0, MAX_WRITE_BYTES)], [copy(0, MAX_WRITE_BYTES)]],
  [
    'a page more is a second request',
    [copy(0, MAX_WRITE_BYTES + 512)],
    [copy(0, MAX_WRITE_BYTES), copy(MAX_WRITE_BYTES, MAX_WRITE_BYTES + 512)],
  ],
  ['touching copies are merged', [copy(0, 512), copy(512, 1024)], [copy(0, 1024)]],
  ['a gap is not filled', [copy(0, 512), copy(1024, 1536)], [copy(0, 512), copy(1024, 1536)]],
  ['touching changes of two kinds stay two', [copy(0, 512), clear(512, 1024)], [copy(0, 512), clear(512, 1024)]],
  ['a clear of many MiB is one request', [clear(0, 64 * MIB), clear(64 * MIB, 128 * MIB)], [clear(0, 128 * MIB)]],
  ['an empty change asks for nothing', [copy(512, 512)], []],
])('%s', async (_claim, changes, expected) => {
  expect(await collect(planRequests(changes))).toEqual(expected)
})

test('whole requests of a long run leave before the run ends', async () => {
  let pulled = 0
  async function* run(): AsyncGenerator<Change> {
    for (let index = 0; ; index++) {
      pulled += 1
      yield copy(index * MIB, (index + 1) * MIB)
    }
  }
  const requests = planRequests(run())
  expect((await requests.next()).value).toEqual(copy(0, MAX_WRITE_BYTES))
  expect(pulled).toBe(5)
  await requests.return(undefined)
})
