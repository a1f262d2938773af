import { afterAll, beforeEach, describe, expect, test } from '@jest/globals'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openJournal, type Journal } from '../../simulator/state/journal.ts'
import { createVolumeStore, type VolumeStore } from '../../simulator/store/volume-store.ts'
import { PAGE_BYTES, type FrozenVolume, type Volume } from '../../simulator/store/volume.ts'
import { createRandom } from './support/random.ts'

const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)

const made: string[] = []
let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kept-state-'))
  made.push(directory)
})
afterAll(() => made.forEach((each) => rmSync(each, { recursive: true })))

const logFile = () => join(directory, 'journal.log')
const logLines = () => readFileSync(logFile(), 'utf8').split('\n').length - 1

/** A part that is a list of words. */
async function openWords(): Promise<{ words: string[]; add: (word: string) => void; journal: Journal }> {
  const journal = await openJournal(directory)
  const words: string[] = []
  const write = journal.join<string>({ name: 'words', apply: (word) => words.push(word), entries: () => words })
  await journal.load()
  return { words, journal, add: (word) => (words.push(word), write(word)) }
}

describe('the journal', () => {
  test('keeps what was written, without being closed', async () => {
    const { add } = await openWords()
    add('one')
    add('two')
    expect((await openWords()).words).toEqual(['one', 'two'])
  })

  test('drops a last line that a killed process left unfinished, and goes on behind it', async () => {
    const { add } = await openWords()
    add('one')
    appendFileSync(logFile(), '["words","tw')
    const second = await openWords()
    expect(second.words).toEqual(['one'])
    second.add('three')
    expect((await openWords()).words).toEqual(['one', 'three'])
  })

  test('refuses a log that is damaged in its middle', async () => {
    writeFileSync(logFile(), '["words","one"]\n["words\n["words","three"]\n')
    await expect(openWords()).rejects.toThrow('line 2 is damaged')
  })

  test('refuses entries of a part that nobody knows', async () => {
    writeFileSync(logFile(), '["numbers",1]\n')
    await expect(openWords()).rejects.toThrow("is of 'numbers'")
  })

  test('belongs to one living process', async () => {
    writeFileSync(join(directory, 'lock'), String(process.ppid))
    await expect(openJournal(directory)).rejects.toThrow(`in use by process ${process.ppid}`)
    // No process has a number of this size.
    writeFileSync(join(directory, 'lock'), '999999999')
    await (await openJournal(directory)).close()
  })
})

interface KeptScene {
  readonly store: VolumeStore
  readonly volumes: Volume[]
  readonly frozen: FrozenVolume[]
  readonly keep: (kind: 'volume' | 'frozen', thing: Volume | FrozenVolume) => void
}

/** A store, and a part that names volumes in its entries. */
async function openScene(): Promise<KeptScene> {
  const journal = await openJournal(directory)
  const store = await createVolumeStore({ directory, journal })
  const volumes: Volume[] = []
  const frozen: FrozenVolume[] = []
  const write = journal.join<['volume' | 'frozen', number]>({
    name: 'scene',
    apply: ([kind, id]) =>
      kind === 'volume' ? volumes.push(store.volume(id)) : frozen.push(store.frozenVolume(id)),
    entries: () => [
      ...volumes.map(({ id }) => ['volume', id] as ['volume', number]),
      ...frozen.map(({ id }) => ['frozen', id] as ['frozen', number]),
    ],
  })
  await journal.load()
  return {
    store,
    volumes,
    frozen,
    keep(kind, thing) {
      if (kind === 'volume') volumes.push(thing as Volume)
      else frozen.push(thing as FrozenVolume)
      write([kind, thing.id])
    },
  }
}

describe('kept volumes', () => {
  test(`are after a restart what they were before it: bytes, sizes, pages and differences (SEED=${seed})`, async () => {
    const random = createRandom(seed)
    let scene = await openScene()
    scene.keep('volume', scene.store.createVolume(400 * PAGE_BYTES))
    let fill = 0
    for (let step = 0; step < 700; step += 1) {
      const volume = scene.volumes[random(scene.volumes.length)] as Volume
      const pages = volume.sizeBytes / PAGE_BYTES
      const page = random(pages)
      const count = Math.min(pages - page, 1 + random(random(50) === 0 ? 300 : 4))
      const choice = random(100)
      if (choice < 60) {
        fill += 1
        await volume.write(page * PAGE_BYTES, Buffer.alloc(count * PAGE_BYTES, fill % 255))
      } else if (choice < 85) volume.clear(page * PAGE_BYTES, count * PAGE_BYTES)
      else if (choice < 88) volume.resize(Math.max(64, pages + random(100) - 50) * PAGE_BYTES)
      else if (choice < 94) {
        const point = volume.freeze()
        // A point in time that is named only after a further change is kept as it was.
        if (random(2) === 0) volume.clear(0, PAGE_BYTES)
        scene.keep('frozen', point)
      } else if (choice < 96 && scene.frozen.length > 0) {
        const point = scene.frozen[random(scene.frozen.length)] as FrozenVolume
        scene.keep('volume', point.fork())
      } else if (choice < 98) {
        const before = await contentOf(scene)
        await scene.store.close()
        scene = await openScene()
        expect(await contentOf(scene)).toEqual(before)
      }
    }
    expect(scene.frozen.length).toBeGreaterThan(10)
    await scene.store.close()
  })

  test('that nobody names any more are gone from the log after a restart', async () => {
    const first = await openScene()
    const kept = first.store.createVolume(64 * PAGE_BYTES)
    first.keep('volume', kept)
    const dropped = first.store.createVolume(64 * PAGE_BYTES)
    for (let index = 0; index < 100; index += 1) {
      await dropped.write(0, Buffer.alloc(PAGE_BYTES))
      await kept.write((index % 2) * PAGE_BYTES, Buffer.alloc(PAGE_BYTES, index))
    }
    expect(logLines()).toBeGreaterThan(200)
    await first.store.close()
    const second = await openScene()
    // One leaf, the volume of it, and the entry that names it.
    expect(logLines()).toBe(3)
    expect((await second.volumes[0]!.read(0, 512)).equals(Buffer.alloc(512, 98))).toBe(true)
    await second.store.close()
  })
})

async function contentOf({ volumes, frozen }: KeptScene): Promise<object> {
  const all = [...volumes, ...frozen]
  return {
    ids: all.map(({ id }) => id),
    sizes: all.map(({ sizeBytes }) => sizeBytes),
    allocated: all.map((each) => each.allocatedBytes()),
    spans: all.map((each) => [...each.pageSpans()]),
    bytes: await Promise.all(all.map(async (each) => (await each.read(0, each.sizeBytes)).toString('base64'))),
    differences: frozen.map((older) => volumes.map((volume) => [...volume.diffSince(older)])),
  }
}
