/** What a bench has measured, as it is shown, kept and written into a document. */
import { readFile, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import Table from 'cli-table3'
import { cellsOf, HEAD, type Row } from './row.ts'

export interface Figures {
  /** ISO date. */
  readonly measuredOn: string
  readonly machine: string
  readonly rows: readonly Row[]
}

const BEGIN = '<!-- figures: written by `npm run bench` -->'
const END = '<!-- end of figures -->'

export function figuresOf(rows: readonly Row[]): Figures {
  const processors = cpus()
  const model = processors[0]?.model.trim() ?? 'unknown processor'
  return { measuredOn: new Date().toISOString().slice(0, 10), machine: `${processors.length} × ${model}, Node ${process.version}`, rows }
}

export function renderTable({ rows }: Figures): string {
  const table = new Table({ head: [...HEAD], style: { head: [], border: [] }, wordWrap: true, colWidths: [40, 34, 22, 22, 9, 9, 10] })
  for (const row of rows) table.push(cellsOf(row))
  return table.toString()
}

/** Without the plots, which are files of their own. */
export function renderJson({ rows, ...figures }: Figures): string {
  return `${JSON.stringify({ ...figures, rows: rows.map((row) => ({ ...row, plot: undefined })) }, undefined, 2)}\n`
}

/** Puts the table between the two marks of a document. @throws where it has none. */
export async function writeInto(file: string, figures: Figures): Promise<void> {
  const text = await readFile(file, 'utf8')
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)]
  if (begin < 0 || end < begin) throw new Error(`${file} has no place for figures: ${BEGIN} and ${END}`)
  await writeFile(file, `${text.slice(0, begin)}${BEGIN}\n${markdownOf(figures)}${text.slice(end)}`)
}

function markdownOf({ measuredOn, machine, rows }: Figures): string {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`
  const table = [HEAD, HEAD.map(() => '---'), ...rows.map(cellsOf)].map(line).join('')
  return `Measured on ${measuredOn}, ${machine}.\n\n${table}`
}
