/**
 * `npm run mutants`: puts each fault of test/mutants/mutants.mjs into a copy of the sources and runs the tests that must notice it.
 * A mutant is killed when a test fails that passes without it; tests that do not run at all kill none. `-- PATTERN` takes those whose
 * names match; after `--minutes M` no more are tried; `--report` writes the count to the table of docs/reliability.md.
 *
 * Ends with 0 only if all that were tried were killed.
 */
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { MUTANTS } from '../test/mutants/mutants.mjs'
import { main } from './lib/main.mjs'
import { onInterrupt, run } from './lib/processes.mjs'
import { renderReliability, writeReport } from './lib/reliability-table.mjs'
import { prepareWorkspace, ROOT } from './lib/workspace.mjs'
import { findTemporalCli } from './temporal-cli.mjs'

const COPIED = ['activities', 'azure', 'client', 'config', 'domain', 'engine', 'simulator', 'temporal', 'test', 'workflows', 'jest.config.js', 'package.json']
const VERDICTS = { killed: 'killed', survived: 'SURVIVED', notTried: 'NOT TRIED' }
/** Whether tests pass that no fault was put under. */
const unchanged = new Map()

onInterrupt((code) => process.exit(code))
await main(async () => {
  const args = process.argv.slice(2)
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options: { minutes: { type: 'string' }, report: { type: 'boolean', default: false } } })
  const mutants = MUTANTS.filter(({ name }) => new RegExp(positionals[0] ?? '').test(name))
  await prepareWorkspace()
  const temporalCli = await findTemporalCli()
  // Its modules need the dependencies, which are there only now.
  const { startTestServers } = await import('./lib/test-servers.mjs')
  const servers = await startTestServers(temporalCli)
  const folder = await mkdtemp(join(tmpdir(), 'snapferry-mutants-'))
  try {
    const count = await tryMutants(mutants, await copySources(folder), servers.env, Number(values.minutes ?? Infinity) * 60_000)
    const tried = count.killed + count.survived + count.notTried
    process.stdout.write(`mutants killed: ${count.killed} of ${tried}\n`)
    process.exitCode = count.killed === tried && tried > 0 ? 0 : 1
    if (values.report) await reportCount(args, tried, count)
  } finally {
    await servers.stop()
    for (const one of [folder, servers.folder]) await rm(one, { recursive: true, force: true })
  }
})

async function tryMutants(mutants, copy, env, limitMs) {
  const startedMs = Date.now()
  const count = { killed: 0, survived: 0, notTried: 0 }
  for (const [index, mutant] of mutants.entries()) {
    if (Date.now() - startedMs > limitMs) break
    const verdict = await tryMutant(mutant, copy, env)
    count[verdict] += 1
    process.stderr.write(`${VERDICTS[verdict]}: ${mutant.name} (${index + 1} of ${mutants.length})\n`)
  }
  return count
}

async function reportCount(args, tried, { killed, survived, notTried }) {
  const shown = args.filter((arg) => arg !== '--report')
  const command = ['npm run mutants', ...(shown.length > 0 ? ['--', ...shown] : [])].join(' ')
  const figures = { 'mutants killed': `${killed} of ${tried}` }
  await writeReport({ proof: 'mutants', command, cases: tried, wrong: survived, leaked: 0, unfinished: notTried, figures })
  await renderReliability()
}

async function copySources(folder) {
  const copy = join(folder, 'sources')
  for (const name of COPIED) await cp(join(ROOT, name), join(copy, name), { recursive: true })
  await symlink(join(ROOT, 'node_modules'), join(copy, 'node_modules'), 'junction')
  return copy
}

/** @returns {Promise<'killed' | 'survived' | 'notTried'>} */
async function tryMutant({ file, find, replace, tests, titles }, copy, env) {
  const path = join(copy, file)
  const original = await readFile(path, 'utf8')
  const parts = original.split(find)
  if (parts.length !== 2 || !(await passesUnchanged(copy, env, tests, titles))) return 'notTried'
  await writeFile(path, parts.join(replace))
  try {
    const { failed, broken } = await runTests(copy, env, tests, titles)
    if (broken) return 'notTried'
    return failed > 0 ? 'killed' : 'survived'
  } finally {
    await writeFile(path, original)
  }
}

/** Tests that fail anyway notice nothing. Each choice of tests is asked for once. */
async function passesUnchanged(copy, env, tests, titles) {
  const key = JSON.stringify([tests, titles])
  if (!unchanged.has(key)) {
    const { failed, broken } = await runTests(copy, env, tests, titles)
    unchanged.set(key, failed === 0 && !broken)
  }
  return unchanged.get(key)
}

async function runTests(copy, env, tests, titles) {
  const report = join(copy, 'report.json')
  await rm(report, { force: true })
  const jest = join(copy, 'node_modules/jest/bin/jest.js')
  const only = titles === undefined ? [] : ['--testNamePattern', titles]
  const args = ['--experimental-vm-modules', jest, '--runInBand', '--forceExit', '--bail', '--json', `--outputFile=${report}`, tests, ...only]
  await run(process.execPath, args, { cwd: copy, env, stdio: 'ignore' })
  const { numFailedTests, numRuntimeErrorTestSuites, numPassedTests } = JSON.parse(await readFile(report, 'utf8'))
  return { failed: numFailedTests, broken: numRuntimeErrorTestSuites > 0 || numFailedTests + numPassedTests === 0 }
}
