import { tmpdir } from 'node:os'
import { afterEach, expect, test } from '@jest/globals'
import { DataFile } from '../../simulator/store/data-file.ts'
import { openUnlinked } from '../../simulator/store/unlinked-file.ts'

/** A store whose first bytes lie in a memory file goes on behind them in a file of the disk. */

let file: DataFile | undefined
afterEach(() => file?.close())

const filled = (pages: number, value: number): Buffer => Buffer.alloc(pages * 512, value)

async function openWithMemory(sizeBytes: number): Promise<DataFile> {
  file = await DataFile.open({ memory: { handle: await openUnlinked(tmpdir()), sizeBytes } })
  return file
}

test('holds what was written before, at and behind the end of the memory file', async () => {
  const data = await openWithMemory(16 * 512)
  const written = [filled(10, 1), filled(6, 2), filled(1, 3), filled(400, 4), filled(2, 5)]
  const appended = written.map((bytes) => data.append(bytes))
  for (const [index, { location }] of appended.entries()) {
    const held = Buffer.alloc(written[index]!.length)
    await data.read(location, held)
    expect(held.equals(written[index]!)).toBe(true)
  }
  await Promise.all(appended.map(({ written: done }) => done))
})

test('locations never go on from one file into the other', async () => {
  const data = await openWithMemory(16 * 512)
  const last = data.append(filled(16, 1)).location
  expect(data.append(filled(1, 2)).location).toBeGreaterThan(last + 16 * 512)
})

test('a write too long for the rest of the memory file lies whole in the other', async () => {
  const data = await openWithMemory(16 * 512)
  data.append(filled(10, 1))
  const { location, written } = data.append(filled(300, 2))
  await written
  expect(location).toBeGreaterThan(16 * 512)
  const held = Buffer.alloc(300 * 512)
  await data.read(location, held)
  expect(held.equals(filled(300, 2))).toBe(true)
})
