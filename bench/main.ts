/**
 * The bench: measures the product against what binds it, on the local Azure. Nothing is assumed of the machine: each
 * figure is held against a budget that the local Azure keeps, or against another figure that was measured beside it.
 *
 * Started by scripts/bench.mjs.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Command, Option } from 'commander'
import { figuresOf, renderJson, renderTable, writeInto, type Figures } from './figures.ts'
import { MEASURES, type Extent, type Measure } from './measures.ts'
import { renderRatePlot } from './rate-plot.ts'
import { isMet, type Row } from './row.ts'
import { openSetting, type Setting } from './setting.ts'

interface Options {
  readonly quick?: boolean
  readonly only?: readonly string[]
  readonly json?: string
  readonly plots?: string
  readonly write?: string
  readonly check?: boolean
}

const names = MEASURES.map(({ name }) => name)
const program = new Command('bench')
  .description('Measures snapferry against what binds it, on the local Azure.')
  .argument('<folder>', 'given by `npm run bench`')
  .usage('[options]')
  .option('--quick', 'less of everything, and without what takes long, in under a minute')
  .addOption(new Option('--only <name...>', 'these measures only').choices(names))
  .option('--json <file>', 'write the figures')
  .option('--plots <folder>', 'write the rate over time, an SVG for each')
  .option('--write <document>', 'write the table into a Markdown file, between its marks')
  .option('--check', 'end with 1 where a row falls short, and name it')
  .parse()
const options = program.opts<Options>()
const [folder = ''] = program.args

const chosen = MEASURES.filter(({ name, isFullOnly }) => options.only?.includes(name) ?? !(options.quick === true && isFullOnly === true))
if (options.write !== undefined && (options.quick === true || chosen.length < MEASURES.length)) {
  program.error('--write takes the whole table: leave out --quick and --only')
}

// The children are ended when this process exits, by whatever is not a SIGKILL.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1))

const figures = figuresOf(await measureAll(chosen, options.quick === true ? 'quick' : 'full'))
process.stdout.write(`${renderTable(figures)}\n`)
const short = figures.rows.filter((row) => !isMet(row))
for (const { name } of short) process.stderr.write(`falls short: ${name}\n`)
if (options.check === true && short.length > 0) process.exitCode = 1

/** In full each has a setting of its own, which takes what was written with it when it ends; a quick bench shares one. */
async function measureAll(measures: readonly Measure[], extent: Extent): Promise<Row[]> {
  const rows: Row[] = []
  let setting: Setting | undefined
  try {
    for (const { name, measure, nodeOptions, env } of measures) {
      if (extent === 'full' || nodeOptions !== undefined) {
        await setting?.close()
        setting = undefined
      }
      setting ??= await openSetting(folder, { ...process.env, ...env }, nodeOptions)
      const startedMs = performance.now()
      const measured = await measure(setting, extent)
      process.stderr.write(`${name}, ${((performance.now() - startedMs) / 1000).toFixed(0)} s: ${measured.map(({ ours }) => ours).join('; ')}\n`)
      rows.push(...measured)
      await save(figuresOf(rows))
    }
    return rows
  } finally {
    await setting?.close()
  }
}

/** After each measure: one that is broken off leaves what it has measured. */
async function save(soFar: Figures): Promise<void> {
  if (options.json !== undefined) {
    await mkdir(dirname(options.json), { recursive: true })
    await writeFile(options.json, renderJson(soFar))
  }
  if (options.plots !== undefined) await writePlots(options.plots, soFar.rows)
  if (options.write !== undefined) await writeInto(options.write, soFar)
}

async function writePlots(into: string, rows: readonly Row[]): Promise<void> {
  await mkdir(into, { recursive: true })
  for (const { plot } of rows) if (plot !== undefined) await writeFile(join(into, `${plot.name}.svg`), renderRatePlot(plot))
}
