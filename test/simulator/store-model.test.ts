import { expect, test } from '@jest/globals'
import { createVolumeStore } from '../../simulator/store/volume-store.ts'
import { PAGE_BYTES, type DiffSpan, type FrozenVolume, type Volume } from '../../simulator/store/volume.ts'
import { createRandom } from './support/random.ts'

/**
 * Random changes to volumes beside a plain model: one cell a page, which holds the number of the write that made it.
 * Run with SEED=… to repeat a failure.
 */

const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
const PAGES = 3000

type Cells = (number | undefined)[]

interface Pair<V> {
  readonly volume: V
  readonly cells: Cells
}

function modelDiff(newer: Cells, older: Cells): DiffSpan[] {
  const found: DiffSpan[] = []
  for (let page = 0; page < newer.length; page += 1) {
    if (newer[page] === older[page]) continue
    const isClear = newer[page] === undefined
    const last = found.at(-1)
    const startBytes = page * PAGE_BYTES
    const endBytes = startBytes + PAGE_BYTES - 1
    if (last !== undefined && last.endBytes + 1 === startBytes && last.isClear === isClear) {
      found[found.length - 1] = { ...last, endBytes }
    } else found.push({ startBytes, endBytes, isClear })
  }
  return found
}

const modelSpans = (cells: Cells) => modelDiff(cells, []).map(({ startBytes, endBytes }) => ({ startBytes, endBytes }))

const clip = (spans: DiffSpan[], fromBytes: number, toBytes: number) =>
  spans
    .map((span) => ({
      ...span,
      startBytes: Math.max(span.startBytes, fromBytes),
      endBytes: Math.min(span.endBytes, toBytes - 1),
    }))
    .filter((span) => span.startBytes <= span.endBytes)

/** The number of the write fills its pages, so equal bytes mean the same write. */
const modelBytes = (cells: Cells) => {
  const bytes = Buffer.alloc(cells.length * PAGE_BYTES)
  cells.forEach((cell, page) =>
    bytes.fill(cell === undefined ? 0 : cell % 255, page * PAGE_BYTES, (page + 1) * PAGE_BYTES),
  )
  return bytes
}

test(`volumes behave as an array of pages does under random changes, freezes, forks and diffs (SEED=${seed})`, async () => {
  const random = createRandom(seed)
  const store = await createVolumeStore()
  let writes = 0
  let live: Pair<Volume> = {
    volume: store.createVolume(PAGES * PAGE_BYTES),
    cells: Array<undefined>(PAGES).fill(undefined),
  }
  let lineage: Pair<FrozenVolume>[] = []
  for (let step = 0; step < 6000; step += 1) {
    const { volume, cells } = live
    const page = random(cells.length)
    const count = Math.min(cells.length - page, random(20) === 0 ? 1 + random(600) : 1 + random(4))
    const choice = random(1000)
    if (choice < 700) {
      writes += 1
      await volume.write(page * PAGE_BYTES, Buffer.alloc(count * PAGE_BYTES, writes % 255))
      cells.fill(writes, page, page + count)
    } else if (choice < 970) {
      volume.clear(page * PAGE_BYTES, count * PAGE_BYTES)
      cells.fill(undefined, page, page + count)
    } else if (choice < 985) {
      lineage.push({ volume: volume.freeze(), cells: [...cells] })
    } else if (choice < 990) {
      const size = Math.max(64, cells.length + random(400) - 200)
      volume.resize(size * PAGE_BYTES)
      if (size < cells.length) cells.length = size
      else while (cells.length < size) cells.push(undefined)
    } else if (choice < 993 && lineage.length > 0) {
      const chosen = random(lineage.length)
      const origin = lineage[chosen] as Pair<FrozenVolume>
      lineage = lineage.slice(0, chosen + 1)
      live = { volume: origin.volume.fork(), cells: [...origin.cells] }
    } else {
      expect([...volume.pageSpans()]).toEqual(modelSpans(cells))
      expect(volume.allocatedBytes()).toBe(cells.filter((cell) => cell !== undefined).length * PAGE_BYTES)
      expect((await volume.read(0, volume.sizeBytes)).equals(modelBytes(cells))).toBe(true)
      for (const older of lineage) {
        const expected = modelDiff(cells, older.cells)
        expect([...volume.diffSince(older.volume)]).toEqual(expected)
        const from = random(cells.length) * PAGE_BYTES
        const to = from + random(500) * PAGE_BYTES
        expect([...volume.diffSince(older.volume, from, to)]).toEqual(clip(expected, from, to))
        expect((await older.volume.read(0, older.volume.sizeBytes)).equals(modelBytes(older.cells))).toBe(true)
      }
    }
  }
  expect(writes).toBeGreaterThan(1000)
  await store.close()
})
