import { stderr } from 'node:process'
import { describe, expect, test } from '@jest/globals'
import { GIB, KIB, MAX_WRITE_BYTES, MIB, PAGE_BYTES, type ByteRange } from '../../domain/byte-range.ts'
import { fillGaps, fromWholeGib, type FilledChange } from '../../domain/fill-gaps.ts'
import { seededRandom } from '../../domain/sampler.ts'
import { planRequests, type Change } from '../../domain/transfer-plan.ts'
import { collect } from './support/arbitraries.ts'
import { applyRequests, fewestRequests, randomScene, type PagesScene } from './support/page-model.ts'

const SEED = Number(process.env['SNAPFERRY_TEST_SEED'] ?? Date.now() % 2 ** 31)
const INPUTS = 10_000

const copy = (startBytes: number, endBytes: number): Change => ({ kind: 'copy', startBytes, endBytes })
const clear = (startBytes: number, endBytes: number): Change => ({ kind: 'clear', startBytes, endBytes })
const fill = (startBytes: number, endBytes: number): FilledChange => ({ ...copy(startBytes, endBytes), isFill: true })
const asPlanned = (change: Change): FilledChange => ({ ...change, isFill: false })

describe(`${INPUTS} random disks, seed ${SEED}`, () => {
  const requestsOf = ({ changes, held, gapRule }: PagesScene) => collect(planRequests(fillGaps(changes, held, gapRule)))

  test('the requests make the old image the new one, page for page', async () => {
    const random = seededRandom(SEED)
    for (let index = 0; index < INPUTS; index++) {
      const scene = randomScene(random)
      expect(applyRequests(scene, await requestsOf(scene))).toEqual(scene.newPages)
    }
  })

  test('are whole pages, in order, of at most 4 MiB, and as few as can be', async () => {
    const random = seededRandom(SEED + 1)
    let planned = 0
    let fewest = 0
    for (let index = 0; index < INPUTS; index++) {
      const scene = randomScene(random)
      const requests = await requestsOf(scene)
      let endBytes = 0
      for (const request of requests) {
        expect(request.startBytes).toBeGreaterThanOrEqual(endBytes)
        expect([request.startBytes % PAGE_BYTES, request.endBytes % PAGE_BYTES]).toEqual([0, 0])
        if (request.kind === 'copy') expect(request.endBytes - request.startBytes).toBeLessThanOrEqual(MAX_WRITE_BYTES)
        endBytes = request.endBytes
      }
      planned += requests.length
      fewest += fewestRequests(scene)
    }
    stderr.write(`requests: ${planned} planned, ${fewest} in an optimal plan\n`)
    expect(planned).toBeLessThanOrEqual(1.05 * fewest)
  })
})

test.each<[string, Change[], ByteRange[], FilledChange[]]>([
  [
    'a gap that the source holds is filled',
    [copy(0, 512), copy(4096, 8192)],
    [{ startBytes: 0, endBytes: 8192 }],
    [asPlanned(copy(0, 512)), fill(512, 4096), asPlanned(copy(4096, 8192))],
  ],
  [
    'a gap that lacks one page in the source is not',
    [copy(0, 512), copy(4096, 8192)],
    [{ startBytes: 0, endBytes: 1024 }, { startBytes: 1536, endBytes: 8192 }],
    [asPlanned(copy(0, 512)), asPlanned(copy(4096, 8192))],
  ],
  [
    'nor one that is longer than the limit',
    [copy(0, 512), copy(512 + 65 * KIB, 70 * KIB)],
    [{ startBytes: 0, endBytes: 70 * KIB }],
    [asPlanned(copy(0, 512)), asPlanned(copy(512 + 65 * KIB, 70 * KIB))],
  ],
  [
    'nor one behind a clear',
    [copy(0, 512), clear(512, 1024), copy(2048, 4096)],
    [{ startBytes: 0, endBytes: 512 }, { startBytes: 1024, endBytes: 4096 }],
    [asPlanned(copy(0, 512)), asPlanned(clear(512, 1024)), asPlanned(copy(2048, 4096))],
  ],
  [
    'nor one before the next request anyway',
    [copy(0, MAX_WRITE_BYTES), copy(MAX_WRITE_BYTES + 512, 2 * MAX_WRITE_BYTES)],
    [{ startBytes: 0, endBytes: 2 * MAX_WRITE_BYTES }],
    [asPlanned(copy(0, MAX_WRITE_BYTES)), asPlanned(copy(MAX_WRITE_BYTES + 512, 2 * MAX_WRITE_BYTES))],
  ],
  [
    'nor one over the border of a chunk of 4 MiB',
    [copy(4 * MIB - 1024, 4 * MIB - 512), copy(4 * MIB + 512, 4 * MIB + 1024)],
    [{ startBytes: 0, endBytes: 8 * MIB }],
    [asPlanned(copy(4 * MIB - 1024, 4 * MIB - 512)), asPlanned(copy(4 * MIB + 512, 4 * MIB + 1024))],
  ],
])('%s', async (_claim, changes, held, expected) => {
  const filled = await collect(fillGaps(changes, held, { maxBytes: 64 * KIB, shareOfLongest: 1 }))
  const changed = filled.filter(({ isFill }) => !isFill)
  expect(filled.filter(({ isFill }) => isFill)).toEqual(expected.filter(({ isFill }) => isFill))
  expect(await collect(planRequests(changed))).toEqual(await collect(planRequests(changes)))
})

test('a window finds the gaps that the whole blob has there, wherever it begins', async () => {
  const random = seededRandom(SEED + 2)
  const sizeBytes = 3 * GIB
  const changes: Change[] = []
  for (let atBytes = 0; atBytes < sizeBytes - 2 * MIB; ) {
    const startBytes = atBytes + PAGE_BYTES * Math.floor(random() * 2000)
    atBytes = startBytes + PAGE_BYTES * (1 + Math.floor(random() * 4000))
    changes.push(copy(startBytes, atBytes))
  }
  const gapsFrom = async (offsetBytes: number) => {
    const { startBytes } = fromWholeGib({ startBytes: offsetBytes, endBytes: sizeBytes })
    const inside = changes.flatMap((change) =>
      change.endBytes <= startBytes ? [] : [{ ...change, startBytes: Math.max(startBytes, change.startBytes) }],
    )
    const filled = await collect(fillGaps(inside, [{ startBytes, endBytes: sizeBytes }], { maxBytes: 120 * KIB, shareOfLongest: 1 }))
    return filled.filter(({ isFill, startBytes: at }) => isFill && at >= offsetBytes)
  }
  const all = await gapsFrom(0)
  expect(all.length).toBeGreaterThan(100)
  for (let index = 0; index < 20; index++) {
    const offsetBytes = Math.floor((random() * sizeBytes) / PAGE_BYTES) * PAGE_BYTES
    expect(await gapsFrom(offsetBytes)).toEqual(all.filter(({ startBytes }) => startBytes >= offsetBytes))
  }
})
