/**
 * Tables without frames: they are read by people and cut by `awk` alike. Where a terminal is too narrow for one, each row
 * becomes a block of lines instead.
 */
import Table from 'cli-table3'

const NO_FRAME = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
} as const

/** @param columns of the terminal; undefined: as wide as need be. */
export function renderTable(head: readonly string[], rows: readonly (readonly string[])[], columns?: number): string {
  const table = new Table({
    head: [...head],
    chars: NO_FRAME,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  })
  table.push(...rows.map((row) => [...row]))
  const lines = table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
  const isTooWide = columns !== undefined && lines.some(({ length }) => length > columns)
  return isTooWide ? renderBlocks(head, rows) : lines.join('\n')
}

/** What a row does not have is left out. */
function renderBlocks(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const labelLength = Math.max(...head.map(({ length }) => length))
  const blockOf = (row: readonly string[]): string =>
    row
      .flatMap((cell, index) => (cell === '' || cell === '-' ? [] : [`${head[index]?.padEnd(labelLength)}  ${cell}`]))
      .join('\n')
  return rows.map(blockOf).join('\n\n')
}
