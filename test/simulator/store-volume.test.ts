import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createVolumeStore, type VolumeStore } from '../../simulator/store/volume-store.ts'
import { PAGE_BYTES, type DiffSpan, type FrozenVolume, type Volume } from '../../simulator/store/volume.ts'

let store: VolumeStore
beforeAll(async () => {
  store = await createVolumeStore()
})
afterAll(() => store.close())

const pages = (count: number, fill: number) => Buffer.alloc(count * PAGE_BYTES, fill)
const spans = (volume: Volume | FrozenVolume) => [...volume.pageSpans()].map((span) => [span.startBytes, span.endBytes])
const written = (startBytes: number, endBytes: number): DiffSpan => ({ startBytes, endBytes, isClear: false })
const cleared = (startBytes: number, endBytes: number): DiffSpan => ({ startBytes, endBytes, isClear: true })

describe('a volume', () => {
  test('reads zeros where nothing was written, and zeros written count as allocated', async () => {
    const volume = store.createVolume(8192)
    await volume.write(1024, pages(1, 0))
    expect(await volume.read(0, 8192)).toEqual(Buffer.alloc(8192))
    expect(spans(volume)).toEqual([[1024, 1535]])
    expect(volume.allocatedBytes()).toBe(512)
  })

  test('merges adjacent spans however they were written', async () => {
    const volume = store.createVolume(8192)
    await volume.write(1024, pages(1, 1))
    await volume.write(0, pages(2, 2))
    await volume.write(1536, pages(1, 3))
    expect(spans(volume)).toEqual([[0, 2047]])
  })

  test('serves a read that was begun before its write reached the file', async () => {
    const volume = store.createVolume(8 << 20)
    const data = Buffer.alloc(4 << 20, 7)
    const writing = volume.write(512, data)
    expect((await volume.read(512, data.length)).equals(data)).toBe(true)
    await writing
  })

  test('applies changes in the order of the calls, not in the order the disk finishes them', async () => {
    const volume = store.createVolume(8 << 20)
    const first = volume.write(0, Buffer.alloc(4 << 20, 1))
    const second = volume.write(0, pages(1, 2))
    volume.clear(512, 512)
    await Promise.all([first, second])
    const start = await volume.read(0, 1536)
    expect([start[0], start[512], start[1024]]).toEqual([2, 0, 1])
  })

  test('refuses what is not whole pages inside it', async () => {
    const volume = store.createVolume(1024)
    await expect(volume.write(100, pages(1, 1))).rejects.toThrow(RangeError)
    await expect(volume.write(1024, pages(1, 1))).rejects.toThrow(RangeError)
    await expect(volume.read(1000, 100)).rejects.toThrow(RangeError)
    expect(() => volume.clear(0, 100)).toThrow(RangeError)
    expect(() => volume.resize(1000)).toThrow(RangeError)
  })

  test('grows with holes and loses what a cut takes away', async () => {
    const volume = store.createVolume(2048)
    await volume.write(0, pages(4, 9))
    volume.resize(1024)
    volume.resize(4096)
    expect(spans(volume)).toEqual([[0, 1023]])
    expect(await volume.read(1024, 3072)).toEqual(Buffer.alloc(3072))
  })

  test('of 32 TiB takes a write at its last page', async () => {
    const size = 32 * 2 ** 40
    const volume = store.createVolume(size)
    await volume.write(size - 512, pages(1, 5))
    expect(spans(volume)).toEqual([[size - 512, size - 1]])
    expect((await volume.read(size - 512, 512))[0]).toBe(5)
  })
})

describe('a frozen volume', () => {
  test('keeps its bytes while the volume goes on', async () => {
    const volume = store.createVolume(2048)
    await volume.write(0, pages(1, 1))
    const frozen = volume.freeze()
    await volume.write(0, pages(1, 2))
    volume.clear(512, 512)
    volume.resize(512)
    expect(frozen.sizeBytes).toBe(2048)
    expect((await frozen.read(0, 512))[0]).toBe(1)
  })

  test('forks into a volume that changes alone', async () => {
    const volume = store.createVolume(2048)
    await volume.write(0, pages(1, 1))
    const frozen = volume.freeze()
    const fork = frozen.fork()
    await fork.write(0, pages(1, 2))
    await volume.write(0, pages(1, 3))
    const firstBytes = await Promise.all([frozen, fork, volume].map(async (each) => (await each.read(0, 1))[0]))
    expect(firstBytes).toEqual([1, 2, 3])
  })
})

describe('a diff', () => {
  test('reports a page rewritten with identical bytes as written', async () => {
    const volume = store.createVolume(4096)
    await volume.write(0, pages(8, 1))
    const older = volume.freeze()
    await volume.write(1024, pages(1, 1))
    expect([...volume.diffSince(older)]).toEqual([written(1024, 1535)])
  })

  test('reports a clear only where the older point had pages', async () => {
    const volume = store.createVolume(8192)
    await volume.write(0, pages(2, 1))
    const older = volume.freeze()
    await volume.write(2048, pages(2, 1))
    volume.clear(512, 4096)
    expect([...volume.diffSince(older)]).toEqual([cleared(512, 1023)])
  })

  test('reports a page cleared and written again as written', async () => {
    const volume = store.createVolume(4096)
    await volume.write(0, pages(1, 1))
    const older = volume.freeze()
    volume.clear(0, 512)
    await volume.write(0, pages(1, 1))
    expect([...volume.freeze().diffSince(older)]).toEqual([written(0, 511)])
  })

  test('covers growth by what was written there', async () => {
    const volume = store.createVolume(1024)
    await volume.write(0, pages(2, 1))
    const older = volume.freeze()
    volume.resize(8192)
    await volume.write(4096, pages(1, 1))
    expect([...volume.diffSince(older)]).toEqual([written(4096, 4607)])
  })

  test('is clipped to its window', async () => {
    const volume = store.createVolume(8192)
    const older = volume.freeze()
    await volume.write(0, pages(8, 1))
    expect([...volume.diffSince(older, 1024, 2048)]).toEqual([written(1024, 2047)])
  })
})
