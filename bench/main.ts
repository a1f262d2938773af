/**
 * The bench: measures the product against what binds it, on the local Azure. Nothing is assumed of the machine: each
 * figure is held against another one that was measured beside it, or against what changed.
 *
 * `--quick` measures less, `--json FILE` writes the rows, `--check` ends with 1 where a row falls short. Started by
 * scripts/bench.mjs.
 */
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { GIB, MIB } from '../domain/byte-range.ts'
import { measureDiskSizes } from './disk-sizes.ts'
import { measureFullCopy } from './full-copy.ts'
import { measureManyDisks } from './many-disks.ts'
import { isMet, renderRows, type Row } from './row.ts'
import { openSetting, type Setting } from './setting.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean' }, json: { type: 'string' }, check: { type: 'boolean' } },
})

const FULL = {
  copy: { allocatedBytes: GIB, rounds: 3 },
  sizes: { changedBytes: GIB, rounds: 3 },
  many: { disks: 64 },
}
const QUICK = {
  copy: { allocatedBytes: 128 * MIB, rounds: 3 },
  sizes: { changedBytes: 64 * MIB, rounds: 1 },
  many: { disks: 4 },
}

const setting = await openSetting(positionals[0], process.env)
try {
  const rows = await measureAll(setting, values.quick === true ? QUICK : FULL)
  process.stdout.write(`${renderRows(rows)}\n`)
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(rows, undefined, 2)}\n`)
  const short = rows.filter((row) => !isMet(row))
  for (const { name } of short) process.stderr.write(`falls short: ${name}\n`)
  if (values.check === true && short.length > 0) process.exitCode = 1
} finally {
  await setting.close()
}

async function measureAll(on: Setting, { copy, sizes, many }: typeof FULL): Promise<Row[]> {
  const rows: Row[] = []
  const measures = [
    () => measureFullCopy(on, copy),
    () => measureDiskSizes(on, sizes),
    () => measureManyDisks(on, many),
  ]
  for (const measure of measures) {
    const row = await measure()
    rows.push(row)
    process.stderr.write(`${row.name}: ${row.ours}\n`)
  }
  return rows
}
