import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { figuresOf, renderJson, writeInto } from '../../../bench/figures.ts'
import { renderRatePlot } from '../../../bench/rate-plot.ts'
import { isMet, type Row } from '../../../bench/row.ts'
import { MIB } from '../../../domain/byte-range.ts'

const MARKS = ['<!-- figures: written by `npm run bench` -->', '<!-- end of figures -->'] as const
const slices = Array.from({ length: 100 }, () => ({ requests: 2, bytes: 6 * MIB }))
const plot = { name: 'copy', title: 'A < B & C', slices, bytesPerSecond: 60 * MIB }
const met: Row = { name: 'one', ours: '59 MiB/s', limit: '60 MiB/s', bindsBy: 'bytes', ratio: 0.98, atLeast: 0.97, plot }
const short: Row = { ...met, name: 'two | three', ratio: 0.5 }
const unmeasured: Row = { name: 'four', ours: 'azcopy was not found', limit: '', bindsBy: '', atMost: 0.7 }

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'figures-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

test('a row falls short on the wrong side of what it must be, and not where it was not measured', () => {
  expect([met, short, unmeasured].map(isMet)).toEqual([true, false, true])
  expect(isMet({ ...unmeasured, ratio: 0.8 })).toBe(false)
})

test('a table takes the place of the one before it, and all else in the document stays', async () => {
  const file = join(folder, 'document.md')
  await writeFile(file, `before\n${MARKS[0]}\nold table\n${MARKS[1]}\nbehind\n`)
  for (let time = 1; time <= 2; time++) await writeInto(file, figuresOf([met, short, unmeasured]))
  const text = await readFile(file, 'utf8')
  expect(text.startsWith(`before\n${MARKS[0]}\n`)).toBe(true)
  expect(text.endsWith(`${MARKS[1]}\nbehind\n`)).toBe(true)
  expect(text).not.toContain('old table')
  expect(text).toContain('| one | 59 MiB/s | 60 MiB/s | bytes | 0.98 | >= 0.97 | ok |')
  expect(text).toContain('| two \\| three | 59 MiB/s | 60 MiB/s | bytes | 0.50 | >= 0.97 | FALLS SHORT |')
  expect(text).toContain('| four | azcopy was not found |  |  |  | <= 0.7 | not measured |')
})

test('a document without a place for figures is left alone', async () => {
  const file = join(folder, 'other.md')
  await writeFile(file, 'nothing here\n')
  await expect(writeInto(file, figuresOf([met]))).rejects.toThrow('has no place for figures')
  expect(await readFile(file, 'utf8')).toBe('nothing here\n')
})

test('figures as JSON hold the rows without their plots', () => {
  expect(JSON.parse(renderJson(figuresOf([met])))).toMatchObject({ rows: [{ name: 'one', ratio: 0.98, atLeast: 0.97 }] })
  expect(renderJson(figuresOf([met]))).not.toContain('slices')
})

test('a steady rate is drawn as a level line at its height, and its limit beside it', () => {
  const svg = renderRatePlot(plot)
  const [, points] = /<polyline points="([^"]+)"/.exec(svg) ?? []
  const heights = points!.split(' ').map((point) => Number(point.split(',')[1]))
  expect(new Set(heights).size).toBe(1)
  expect(svg).toContain(`y1="${heights[0]}" y2="${heights[0]}"/>\n<text class="limit-label"`)
  expect(svg).toContain('limit 60')
  expect(svg).toContain('A &lt; B &amp; C')
})
