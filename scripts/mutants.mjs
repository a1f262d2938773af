/**
 * `npm run mutants`: puts each fault of test/mutants/mutants.mjs into a copy of the sources and runs the tests that must notice it.
 * A mutant is killed when a test fails; tests that do not run at all kill none. `-- PATTERN` takes those whose names match.
 *
 * Ends with 0 only if all were killed.
 */
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MUTANTS } from '../test/mutants/mutants.mjs'
import { main } from './lib/main.mjs'
import { run, runQuietly } from './lib/processes.mjs'
import { combineCertificates } from './lib/trusted-certificates.mjs'
import { DIST, prepareWorkspace, ROOT } from './lib/workspace.mjs'

const COPIED = ['activities', 'azure', 'client', 'config', 'domain', 'engine', 'simulator', 'temporal', 'test', 'workflows', 'jest.config.js', 'package.json']

await main(async () => {
  const [pattern = ''] = process.argv.slice(2)
  const mutants = MUTANTS.filter(({ name }) => new RegExp(pattern).test(name))
  await prepareWorkspace()
  const folder = await mkdtemp(join(tmpdir(), 'snapferry-mutants-'))
  try {
    const env = await testEnvironment(folder)
    const copy = await copySources(folder)
    let killed = 0
    for (const mutant of mutants) {
      const verdict = await tryMutant(mutant, copy, env)
      if (verdict === 'killed') killed++
      process.stderr.write(`${verdict}: ${mutant.name}\n`)
    }
    process.stdout.write(`mutants killed: ${killed} of ${mutants.length}\n`)
    process.exitCode = killed === mutants.length && mutants.length > 0 ? 0 : 1
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

/** What tests need that talk to the local Azure; none of them needs Temporal. */
async function testEnvironment(folder) {
  const caFolder = join(folder, 'ca')
  const logFolder = join(folder, 'logs')
  await mkdir(logFolder)
  await runQuietly(process.execPath, [join(DIST, 'simulator/main.js'), '--make-ca', caFolder])
  const trusted = join(folder, 'trusted.pem')
  await combineCertificates(join(caFolder, 'ca.pem'), trusted)
  return { ...process.env, NODE_EXTRA_CA_CERTS: trusted, SNAPFERRY_TEST_CA_DIR: caFolder, SNAPFERRY_TEST_LOG_DIR: logFolder }
}

async function copySources(folder) {
  const copy = join(folder, 'sources')
  for (const name of COPIED) await cp(join(ROOT, name), join(copy, name), { recursive: true })
  await symlink(join(ROOT, 'node_modules'), join(copy, 'node_modules'), 'junction')
  return copy
}

/** @returns {Promise<'killed' | 'SURVIVED' | 'NOT TRIED'>} */
async function tryMutant({ file, find, replace, tests, titles }, copy, env) {
  const path = join(copy, file)
  const original = await readFile(path, 'utf8')
  const parts = original.split(find)
  if (parts.length !== 2) return 'NOT TRIED'
  await writeFile(path, parts.join(replace))
  try {
    const { failed, broken } = await runTests(copy, env, tests, titles)
    if (broken) return 'NOT TRIED'
    return failed > 0 ? 'killed' : 'SURVIVED'
  } finally {
    await writeFile(path, original)
  }
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
