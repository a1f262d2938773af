/** The Temporal service that a demo or a bench runs on. */
import { join } from 'node:path'
import { loadClientConnectConfig } from '@temporalio/envconfig'
import { findTemporalCli } from '../temporal-cli.mjs'
import { startDevServer } from './temporal-server.mjs'

/**
 * The service that the environment names, else a dev server of our own that logs to `folder`.
 *
 * @param {string} folder
 * @param {(() => Promise<void>)[]} closers gets what stops the dev server
 * @param {{ isSeen: boolean }} options whether somebody looks at it: then it has a UI and keeps its state in a file
 * @returns {Promise<Record<string, string>>} what clients and workers need in their environment
 */
export async function openTemporal(folder, closers, { isSeen }) {
  if (loadClientConnectConfig().connectionOptions.address !== undefined) return {}
  const server = await startDevServer({
    program: await findTemporalCli(),
    logFile: join(folder, 'temporal.log'),
    hasUi: isSeen,
    ...(isSeen && { databaseFile: join(folder, 'temporal.db') }),
  })
  closers.push(server.stop)
  return { TEMPORAL_ADDRESS: server.address, ...(server.uiUrl !== undefined && { SNAPFERRY_DEMO_UI: server.uiUrl }) }
}
