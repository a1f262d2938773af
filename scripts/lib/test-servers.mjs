/**
 * What the tests of one run share: a folder for their traces, a certificate authority, one Temporal dev server and the
 * workflow bundle. Tests learn of it by environment variables; test/support/environment.ts reads them.
 */
import { mkdir, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { closedEnvironment } from './closed-environment.mjs'
import { runQuietly } from './processes.mjs'
import { startDevServer } from './temporal-server.mjs'
import { combineCertificates } from './trusted-certificates.mjs'
import { DIST, WORKFLOW_BUNDLE } from './workspace.mjs'

/**
 * @param {string} temporalCli path of the Temporal CLI
 * @returns {Promise<{ folder: string, logFolder: string, temporalAddress: string, env: NodeJS.ProcessEnv, stop: () => Promise<void> }>}
 */
export async function startTestServers(temporalCli) {
  const folder = await mkdtemp(join(tmpdir(), 'snapferry-test-'))
  const logFolder = join(folder, 'logs')
  const caFolder = join(folder, 'ca')
  await mkdir(logFolder)

  await runQuietly(process.execPath, [join(DIST, 'simulator/main.js'), '--make-ca', caFolder])
  const trusted = join(folder, 'trusted.pem')
  await combineCertificates(join(caFolder, 'ca.pem'), trusted)
  const temporal = await startDevServer({ program: temporalCli, logFile: join(logFolder, 'temporal.log') })

  const env = {
    ...closedEnvironment(process.env),
    TEMPORAL_CONFIG_FILE: join(folder, 'temporal.toml'),
    NODE_EXTRA_CA_CERTS: trusted,
    SNAPFERRY_TEST_CA_DIR: caFolder,
    SNAPFERRY_TEST_LOG_DIR: logFolder,
    SNAPFERRY_TEST_TEMPORAL_ADDRESS: temporal.address,
    SNAPFERRY_TEST_TEMPORAL_CLI: temporalCli,
    SNAPFERRY_TEST_WORKFLOW_BUNDLE: WORKFLOW_BUNDLE,
  }
  return { folder, logFolder, temporalAddress: temporal.address, env, stop: temporal.stop }
}
