/** The Temporal service that a demo or a bench runs on. */
import { join } from 'node:path'
import { findTemporalCli } from '../temporal-cli.mjs'
import { startDevServer } from './temporal-server.mjs'

/**
 * A dev server of our own that logs to `folder`, whatever Temporal the environment or a profile names: nobody's own cluster is
 * played on.
 *
 * @param {string} folder
 * @param {(() => Promise<void>)[]} closers gets what stops the dev server
 * @param {{ isSeen: boolean }} options whether somebody looks at it: then it has a UI and keeps its state in a file
 * @returns {Promise<Record<string, string>>} what clients and workers need in their environment
 */
export async function openTemporal(folder, closers, { isSeen }) {
  const server = await startDevServer({
    program: await findTemporalCli(),
    logFile: join(folder, 'temporal.log'),
    hasUi: isSeen,
    ...(isSeen && { databaseFile: join(folder, 'temporal.db') }),
  })
  closers.push(server.stop)
  const noProfiles = join(folder, 'temporal.toml')
  return { TEMPORAL_ADDRESS: server.address, TEMPORAL_CONFIG_FILE: noProfiles, ...(server.uiUrl !== undefined && { SNAPFERRY_DEMO_UI: server.uiUrl }) }
}
