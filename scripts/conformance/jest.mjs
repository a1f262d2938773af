/** Runs test files of the conformance suite by Jest, with a certificate authority that they trust. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run, runQuietly } from '../lib/processes.mjs'
import { combineCertificates } from '../lib/trusted-certificates.mjs'
import { DIST, ROOT } from '../lib/workspace.mjs'

/**
 * @param {string} pattern of test files
 * @param {NodeJS.ProcessEnv} [ownEnv]
 * @returns {Promise<{ passed: number, skipped: number }>}
 * @throws when a test fails; Jest has shown it.
 */
export async function runTests(pattern, ownEnv = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'snapferry-conformance-'))
  try {
    const caFolder = join(folder, 'ca')
    const trusted = join(folder, 'trusted.pem')
    await runQuietly(process.execPath, [join(DIST, 'simulator/main.js'), '--make-ca', caFolder])
    await combineCertificates(join(caFolder, 'ca.pem'), trusted)
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: trusted, SNAPFERRY_TEST_CA_DIR: caFolder, ...ownEnv }

    const report = join(folder, 'jest.json')
    const hasWarningFilter = process.allowedNodeEnvironmentFlags.has('--disable-warning')
    const flags = ['--experimental-vm-modules', ...(hasWarningFilter ? ['--disable-warning=ExperimentalWarning'] : [])]
    const args = [...flags, join(ROOT, 'node_modules/jest/bin/jest.js')]
    const options = ['--maxWorkers=2', '--json', `--outputFile=${report}`, pattern]
    await run(process.execPath, [...args, ...options], { cwd: ROOT, env, stdio: ['ignore', 'ignore', 'inherit'] })

    const result = JSON.parse(await readFile(report, 'utf8'))
    if (!result.success) throw new Error(`${result.numFailedTests} of ${result.numTotalTests} tests failed`)
    return { passed: result.numPassedTests, skipped: result.numPendingTests }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
