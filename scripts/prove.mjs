/**
 * `npm run chaos`, `nth-call`, `crash-sweep`, `two-operators`, `late-writes`, `soak`: the proofs of test/chaos and test/faults in
 * full; `npm test` plays a short form of each. `-- --help` shows the options of one. With `--minutes` nothing new is begun after that
 * time; what was counted until then is the result.
 *
 * With `--report`, what was counted is written to docs/reliability/ and the table of docs/reliability.md is made anew; also after
 * a proof that failed, since a table of successes alone would be none.
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { main } from './lib/main.mjs'
import { exitCodeOf, onInterrupt, start, stop } from './lib/processes.mjs'
import { forgetReport, renderReliability, RELIABILITY_FOLDER } from './lib/reliability-table.mjs'
import { ROOT } from './lib/workspace.mjs'

/**
 * @typedef {object} Proof
 * @property {string} tests pattern of its test file
 * @property {string} option how much of it, with its default
 * @property {string} amount
 * @property {string} variable by which the test file learns of it
 * @property {string} quick the amount of `--quick`
 * @property {string} [quickTests] where `--quick` leaves files out
 */

/** @type {Readonly<Record<string, Proof>>} */
const PROOFS = {
  chaos: {
    tests: 'test/chaos',
    option: 'histories',
    amount: '2000',
    variable: 'SNAPFERRY_CHAOS_HISTORIES',
    quick: '200',
    quickTests: 'test/chaos/chaos',
  },
  'nth-call': { tests: 'test/faults/nth-call', option: 'cases', amount: 'Infinity', variable: 'SNAPFERRY_NTH_CALL_CASES', quick: '400' },
  'crash-sweep': { tests: 'test/faults/crash-sweep', option: 'points', amount: '500', variable: 'SNAPFERRY_CRASH_POINTS', quick: '96' },
  'two-operators': { tests: 'test/faults/two-operators', option: 'rounds', amount: '1000', variable: 'SNAPFERRY_TWO_OPERATORS_ROUNDS', quick: '100' },
  'late-writes': { tests: 'test/faults/late-writes', option: 'rounds', amount: '500', variable: 'SNAPFERRY_LATE_ROUNDS', quick: '60' },
  soak: { tests: 'test/faults/soak', option: 'days', amount: '14', variable: 'SNAPFERRY_SOAK_DAYS', quick: '3' },
}

await main(async () => {
  const [name, ...args] = process.argv.slice(2)
  const proof = PROOFS[name]
  if (proof === undefined) throw new Error(`no proof '${name}'; there are ${Object.keys(PROOFS).join(', ')}`)
  const { values } = parseArgs({
    args,
    options: {
      [proof.option]: { type: 'string' },
      seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
      minutes: { type: 'string' },
      quick: { type: 'boolean', default: false },
      report: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(`npm run ${name} -- [--${proof.option} N (${proof.amount})] [--quick (${proof.quick})] [--minutes M] [--seed S] [--report]\n`)
    return
  }
  const amount = values[proof.option] ?? (values.quick ? proof.quick : proof.amount)
  const shown = args.filter((arg) => arg !== '--report')
  const env = {
    ...process.env,
    [proof.variable]: amount,
    SNAPFERRY_PROOF_COMMAND: [`npm run ${name}`, ...(shown.length > 0 ? ['--', ...shown] : [])].join(' '),
    SNAPFERRY_TEST_SEED: values.seed,
    ...(values.minutes !== undefined && { SNAPFERRY_PROOF_MINUTES: values.minutes }),
    ...(!values.quick && { SNAPFERRY_CRASH_CASES: 'all' }),
    ...(values.report && { SNAPFERRY_PROOF_FOLDER: RELIABILITY_FOLDER }),
  }
  if (values.report) await forgetReport(name)
  const tests = (values.quick && proof.quickTests) || proof.tests
  const testRun = start(process.execPath, [join(ROOT, 'scripts/test.mjs'), tests], { cwd: ROOT, env })
  // It has children of its own to end.
  onInterrupt(() => void stop(testRun))
  process.exitCode = await exitCodeOf(testRun)
  if (values.report) await renderReliability()
})
