/**
 * `npm test`: types, lint, all tests by Jest, and a search of every history and log for secrets. `npm test -- PATTERN`
 * runs the test files that match, and leaves types and lint out.
 *
 * The last line says `N passed, N failed`; the exit code is 0 only when nothing failed. Brings with it what the tests
 * need, on any machine with Node and npm.
 */
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { main } from './lib/main.mjs'
import { onInterrupt, run } from './lib/processes.mjs'
import { prepareWorkspace, ROOT } from './lib/workspace.mjs'
import { findTemporalCli } from './temporal-cli.mjs'

/** More than a small machine has cores: much of a workflow's test is waiting. */
const JEST_WORKERS = 3

const tally = { passed: 0, failed: 0, skipped: 0 }

onInterrupt((code) => process.exit(code))
await main(async () => {
  try {
    await runAll(process.argv.slice(2))
  } catch (error) {
    tally.failed++
    throw error
  } finally {
    process.exitCode = tally.failed === 0 ? 0 : 1
    process.on('exit', printTally)
  }
})

async function runAll(patterns) {
  await prepareWorkspace()
  if (patterns.length === 0) await checkSources()
  const temporalCli = await findTemporalCli()

  // Their modules need the dependencies, which are there only now.
  const { startTestServers } = await import('./lib/test-servers.mjs')
  const servers = await startTestServers(temporalCli)
  try {
    await runJest(patterns, { ...servers, env: { ...servers.env, ...(await azuriteSetting()) } })
    await searchForSecrets(servers)
  } finally {
    await servers.stop()
  }
  if (tally.failed === 0) await rm(servers.folder, { recursive: true, force: true })
  else process.stderr.write(`logs of the run: ${servers.logFolder}\n`)
}

/** For the comparison with Azurite, which is left out where it cannot be installed. */
async function azuriteSetting() {
  const { findAzurite } = await import('./conformance/tools.mjs')
  try {
    return { SNAPFERRY_TEST_AZURITE: await findAzurite() }
  } catch (error) {
    process.stderr.write(`no comparison with Azurite: ${error.message}\n`)
    return {}
  }
}

async function checkSources() {
  const node = (program, ...args) => run(process.execPath, [join(ROOT, 'node_modules', program), ...args], { cwd: ROOT })
  count('the types are right', (await node('typescript/bin/tsc', '--noEmit')) === 0)
  count('lint finds nothing', (await node('oxlint/bin/oxlint')) === 0)
}

async function runJest(patterns, { folder, env }) {
  const report = join(folder, 'jest.json')
  const hasWarningFilter = process.allowedNodeEnvironmentFlags.has('--disable-warning')
  const flags = ['--experimental-vm-modules', ...(hasWarningFilter ? ['--disable-warning=ExperimentalWarning'] : [])]
  const jest = join(ROOT, 'node_modules/jest/bin/jest.js')
  const args = [`--maxWorkers=${JEST_WORKERS}`, '--passWithNoTests', '--json', `--outputFile=${report}`, ...patterns]
  // Jest prints its report to stdout too; what people read comes on stderr.
  const code = await run(process.execPath, [...flags, jest, ...args], { cwd: ROOT, env, stdio: ['inherit', 'ignore', 'inherit'] })

  const text = await readFile(report, 'utf8').catch(() => undefined)
  if (text === undefined) return count('Jest ran to its end', false)
  const result = JSON.parse(text)
  tally.passed += result.numPassedTests
  tally.failed += result.numFailedTests + result.numRuntimeErrorTestSuites
  tally.skipped += result.numPendingTests + result.numTodoTests
  if (code !== 0 && tally.failed === 0) count('Jest ended well', false)
}

async function searchForSecrets({ temporalAddress, logFolder }) {
  const { scanFiles, scanHistories } = await import('./lib/secret-scan.mjs')
  const histories = await scanHistories(temporalAddress)
  const logs = await scanFiles(logFolder)
  const findings = [...histories.findings, ...logs.findings]
  const amount = `${histories.count} histories of ${histories.bytes} bytes, ${logs.count} logs of ${logs.bytes} bytes`
  count(`no history or log holds sig= (${amount})`, findings.length === 0)
  for (const finding of findings) process.stderr.write(`  sig= in ${finding}\n`)
}

/** Counts a check of the script's own as a test and says how it went. */
function count(claim, isTrue) {
  tally[isTrue ? 'passed' : 'failed']++
  process.stderr.write(`${isTrue ? 'ok' : 'FAILED'}: ${claim}\n`)
}

function printTally() {
  const { passed, failed, skipped } = tally
  process.stdout.write(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`)
}
