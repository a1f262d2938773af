/** The table in docs/reliability.md, made of what the proofs have written to docs/reliability/; the text around it stays. */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ROOT } from './workspace.mjs'

export const RELIABILITY_FOLDER = join(ROOT, 'docs/reliability')
const PAGE = join(ROOT, 'docs/reliability.md')
const BEGIN = '<!-- made by scripts/prove.mjs -->'
const END = '<!-- until here -->'

/** Of a proof that no test plays. */
export async function writeReport(report) {
  await mkdir(RELIABILITY_FOLDER, { recursive: true })
  const dated = { ...report, date: new Date().toISOString().slice(0, 10) }
  await writeFile(join(RELIABILITY_FOLDER, `${report.proof}.json`), `${JSON.stringify(dated, null, 2)}\n`)
}

/** What an earlier run of a proof has counted, in one file or in parts, is not added to that of the next. */
export async function forgetReport(proof) {
  const isOfProof = new RegExp(`^${proof}(-\\d+)?\\.json$`)
  for (const name of await readdir(RELIABILITY_FOLDER)) if (isOfProof.test(name)) await rm(join(RELIABILITY_FOLDER, name))
}

/** Writes the page; twice is fine. */
export async function renderReliability() {
  const page = await readFile(PAGE, 'utf8')
  const [before, rest] = page.split(BEGIN)
  const after = rest?.split(END)[1]
  if (after === undefined) throw new Error(`${PAGE} has lost the marks of its table`)
  await writeFile(PAGE, `${before}${BEGIN}\n${await tableOf(RELIABILITY_FOLDER)}${END}${after}`)
}

/** @returns {Promise<string>} */
export async function tableOf(folder) {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.json')).toSorted()
  const reports = await Promise.all(files.map(async (name) => JSON.parse(await readFile(join(folder, name), 'utf8'))))
  const rows = addParts(reports).map(({ command, cases, wrong, leaked, unfinished, date, seed, figures }) => {
    const others = Object.entries(figures).map(([name, value]) => `${name}: ${value}`)
    return `| \`${command}\` | ${cases} | ${wrong} | ${leaked} | ${unfinished} | ${date} | ${seed ?? ''} | ${others.join('; ')} |\n`
  })
  return ['| command | cases | wrong | leaked | unfinished | date | seed | counted beside |\n', '|---|---|---|---|---|---|---|---|\n', ...rows].join('')
}

/** One row a proof: the counts of its parts are added up. */
function addParts(reports) {
  const rows = new Map()
  for (const report of reports) rows.set(report.proof, rows.has(report.proof) ? sum(rows.get(report.proof), report) : report)
  return [...rows.values()]
}

function sum(one, other) {
  const add = (name) => one[name] + other[name]
  const figures = { ...one.figures }
  // What happened seldom, only one of them has.
  for (const [name, value] of Object.entries(other.figures)) figures[name] = typeof value === 'number' ? (figures[name] ?? 0) + value : value
  return { ...one, cases: add('cases'), wrong: add('wrong'), leaked: add('leaked'), unfinished: add('unfinished'), figures }
}
