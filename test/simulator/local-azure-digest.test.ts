import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { digestContent } from '../../simulator/control/content-digest.ts'
import { createVolumeStore, type VolumeStore } from '../../simulator/store/volume-store.ts'

const TIB = 1024 ** 4
const BLOCK = 65_536

let store: VolumeStore
beforeAll(async () => {
  store = await createVolumeStore()
})
afterAll(() => store.close())

describe('content digest', () => {
  test('is SHA-256 over offset, length and bytes of each block that is not zero', async () => {
    const volume = store.createVolume(BLOCK * 3 + 512)
    await volume.write(BLOCK + 512, Buffer.alloc(512, 7))
    await volume.write(BLOCK * 3, Buffer.alloc(512, 9))
    const middle = Buffer.alloc(BLOCK)
    middle.fill(7, 512, 1024)
    const expected = createHash('sha256')
    for (const [offsetBytes, bytes] of [[BLOCK, middle], [BLOCK * 3, Buffer.alloc(512, 9)]] as const) {
      const head = Buffer.alloc(16)
      head.writeBigUInt64BE(BigInt(offsetBytes), 0)
      head.writeBigUInt64BE(BigInt(bytes.length), 8)
      expected.update(head).update(bytes)
    }
    const digest = await digestContent(volume)
    expect(digest).toEqual({
      sha256: expected.digest('hex'),
      offsetBytes: 0,
      lengthBytes: BLOCK * 3 + 512,
      hashedBytes: BLOCK + 512,
    })
  })

  test('does not tell zeros that were written from holes', async () => {
    const written = store.createVolume(BLOCK * 4)
    await written.write(0, Buffer.alloc(BLOCK * 4))
    await written.write(512, Buffer.alloc(512, 1))
    const sparse = store.createVolume(BLOCK * 4)
    await sparse.write(512, Buffer.alloc(512, 1))
    expect((await digestContent(written)).sha256).toBe((await digestContent(sparse)).sha256)
  })

  test('tells one byte, and where it is', async () => {
    const digestOf = async (offsetBytes: number, byte: number): Promise<string> => {
      const volume = store.createVolume(BLOCK * 4)
      await volume.write(offsetBytes, Buffer.alloc(512, byte))
      return (await digestContent(volume)).sha256
    }
    const digests = [await digestOf(0, 1), await digestOf(0, 2), await digestOf(512, 1), await digestOf(BLOCK, 1)]
    expect(new Set(digests).size).toBe(4)
  })

  test('over a range, the size of the volume beyond it does not count', async () => {
    const small = store.createVolume(BLOCK * 2)
    const large = store.createVolume(BLOCK * 9)
    for (const volume of [small, large]) await volume.write(BLOCK, Buffer.alloc(1024, 3))
    await large.write(BLOCK * 5, Buffer.alloc(512, 4))
    const range = { offsetBytes: 512, lengthBytes: BLOCK * 2 - 512 }
    expect((await digestContent(large, range)).sha256).toBe((await digestContent(small, range)).sha256)
  })

  test('a stretch longer than one read gives the same as its blocks one by one', async () => {
    const volume = store.createVolume(BLOCK * 300)
    await volume.write(BLOCK - 512, Buffer.alloc(4 * 1024 * 1024, 5))
    await volume.write(BLOCK - 512 + 4 * 1024 * 1024, Buffer.alloc(4 * 1024 * 1024, 6))
    const digest = await digestContent(volume)
    expect(digest.hashedBytes).toBe(129 * BLOCK)
  })

  test('of 8 TiB with two pages on them two blocks are read', async () => {
    const volume = store.createVolume(8 * TIB)
    await volume.write(0, Buffer.alloc(512, 1))
    await volume.write(8 * TIB - 512, Buffer.alloc(512, 2))
    expect((await digestContent(volume)).hashedBytes).toBe(2 * BLOCK)
  })
})
