/** The rate over time of one run as an SVG: MiB/s and requests/s below each other, each with the budget that limits it. */
import { MIB } from '../domain/byte-range.ts'
import { SLICE_MS, type Slice } from './page-writes.ts'
import { niceStep, ticksUpTo } from './plot-scale.ts'

export interface RatePlot {
  /** File name without its ending. */
  readonly name: string
  readonly title: string
  readonly slices: readonly Slice[]
  /** Absent: nothing limits it. */
  readonly bytesPerSecond?: number
  readonly requestsPerSecond?: number
}

interface Panel {
  readonly unit: string
  readonly color: string
  readonly rates: readonly number[]
  readonly limit: number | undefined
}

const WIDTH = 760
const PANEL_HEIGHT = 150
const LEFT = 64
const RIGHT = 84
const TOP = 58
const BETWEEN = 34
const BOTTOM = 46
/** About so many points over the width; less would hide, more would only show the grain of single requests. */
const POINTS = 60

const STYLE = [
  'text{font:12px system-ui,-apple-system,Segoe UI,sans-serif;fill:#3d4450}',
  '.title{font-size:15px;font-weight:600;fill:#1f2530}',
  '.grid{stroke:#e4e7ec;stroke-width:1}',
  '.axis{stroke:#9aa3b2;stroke-width:1}',
  '.limit{stroke:#c2410c;stroke-width:1.5;stroke-dasharray:6 4}',
  '.limit-label{fill:#c2410c}',
].join('')

export function renderRatePlot({ title, slices, bytesPerSecond, requestsPerSecond }: RatePlot): string {
  const perPoint = Math.max(5, Math.round(slices.length / POINTS))
  const secondsPerPoint = (perPoint * SLICE_MS) / 1000
  const points = groupsOf(slices, perPoint)
  const rate = (of: (slice: Slice) => number): number[] => points.map((group) => sum(group, of) / ((group.length * SLICE_MS) / 1000))
  const panels: Panel[] = [
    { unit: 'MiB/s', color: '#2563eb', rates: rate(({ bytes }) => bytes / MIB), limit: bytesPerSecond === undefined ? undefined : bytesPerSecond / MIB },
    { unit: 'requests/s', color: '#0f766e', rates: rate(({ requests }) => requests), limit: requestsPerSecond },
  ]
  const height = TOP + panels.length * PANEL_HEIGHT + (panels.length - 1) * BETWEEN + BOTTOM
  const seconds = points.length * secondsPerPoint
  const body = panels.map((panel, index) => renderPanel(panel, TOP + index * (PANEL_HEIGHT + BETWEEN), seconds))
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">`,
    `<title>${escape(title)}</title><style>${STYLE}</style>`,
    `<rect width="${WIDTH}" height="${height}" rx="8" fill="#ffffff"/>`,
    `<text class="title" x="${LEFT}" y="26">${escape(title)}</text>`,
    ...body,
    timeAxis(seconds, height - BOTTOM),
    '</svg>',
    '',
  ].join('\n')
}

function renderPanel({ unit, color, rates, limit }: Panel, top: number, seconds: number): string {
  const highest = Math.max(...rates, limit ?? 0) * 1.1 || 1
  const y = (rate: number): number => round(top + PANEL_HEIGHT * (1 - rate / highest))
  const x = xOf(seconds)
  const step = seconds / rates.length
  // A point stands for its stretch of time; it is drawn in the middle of it.
  const line = rates.map((rate, index) => `${x((index + 0.5) * step)},${y(rate)}`)
  const area = [`${x(0.5 * step)},${y(0)}`, ...line, `${x((rates.length - 0.5) * step)},${y(0)}`]
  const grid = ticksUpTo(highest, niceStep(highest, 5)).map(
    (rate) =>
      `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(rate)}" y2="${y(rate)}"/>` +
      `<text x="${LEFT - 8}" y="${y(rate) + 4}" text-anchor="end">${rate}</text>`,
  )
  return [
    ...grid,
    `<polygon points="${area.join(' ')}" fill="${color}" fill-opacity="0.12"/>`,
    `<polyline points="${line.join(' ')}" fill="none" stroke="${color}" stroke-width="2" stroke-linejoin="round"/>`,
    ...(limit === undefined
      ? []
      : [
          `<line class="limit" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(limit)}" y2="${y(limit)}"/>`,
          `<text class="limit-label" x="${WIDTH - RIGHT + 6}" y="${y(limit) + 4}">limit ${round(limit)}</text>`,
        ]),
    `<line class="axis" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(0)}" y2="${y(0)}"/>`,
    `<text x="${LEFT}" y="${top - 6}">${unit}</text>`,
  ].join('\n')
}

function timeAxis(seconds: number, bottom: number): string {
  const x = xOf(seconds)
  const ticks = ticksUpTo(seconds, niceStep(seconds, 8)).map(
    (second) =>
      `<line class="axis" x1="${x(second)}" x2="${x(second)}" y1="${bottom}" y2="${bottom + 4}"/>` +
      `<text x="${x(second)}" y="${bottom + 18}" text-anchor="middle">${second}</text>`,
  )
  return [...ticks, `<text x="${x(seconds / 2)}" y="${bottom + 36}" text-anchor="middle">seconds since the first page write</text>`].join('\n')
}

function xOf(seconds: number): (second: number) => number {
  return (second) => round(LEFT + ((WIDTH - LEFT - RIGHT) * second) / seconds)
}

/** The last one is left out where it is not whole: it would show a fall that is none. */
function groupsOf(slices: readonly Slice[], size: number): Slice[][] {
  const groups: Slice[][] = []
  for (let at = 0; at + size <= slices.length; at += size) groups.push(slices.slice(at, at + size))
  return groups.length === 0 ? [[...slices]] : groups
}

function sum(slices: readonly Slice[], of: (slice: Slice) => number): number {
  return slices.reduce((total, slice) => total + of(slice), 0)
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
