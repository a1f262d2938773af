/** Temporal's dev server as a child process: a real server on SQLite, on free ports of the loopback interface. */
import { createServer } from 'node:net'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { Connection } from '@temporalio/client'
import { startService, stop } from './processes.mjs'

const HOST = '127.0.0.1'
const START_TIMEOUT_MS = 60_000
/** A port that was free may be taken before the server binds it. */
const ATTEMPTS = 3

/**
 * @typedef {object} DevServer
 * @property {string} address `host:port` of the gRPC service
 * @property {string | undefined} uiUrl
 * @property {() => Promise<void>} stop
 */

/**
 * Starts a dev server and waits until it answers.
 *
 * @param {object} options
 * @param {string} options.program path of the Temporal CLI
 * @param {string} options.logFile
 * @param {string} [options.databaseFile] keeps its state; default: in memory
 * @param {boolean} [options.hasUi]
 * @returns {Promise<DevServer>}
 * @throws when it does not come up; its log says why.
 */
export async function startDevServer({ program, logFile, databaseFile, hasUi = false }) {
  for (let attempt = 1; ; attempt++) {
    const [port, uiPort] = await Promise.all([freePort(), freePort()])
    const address = `${HOST}:${port}`
    const args = ['server', 'start-dev', '--ip', HOST, '--port', String(port), '--log-level', 'warn']
    args.push(...(hasUi ? ['--ui-port', String(uiPort)] : ['--headless']))
    if (databaseFile !== undefined) args.push('--db-filename', databaseFile)

    const child = await startService(program, args, { logFile })
    if (await answers(address, child)) {
      return { address, uiUrl: hasUi ? `http://${HOST}:${uiPort}` : undefined, stop: () => stop(child) }
    }
    await stop(child)
    if (attempt === ATTEMPTS) throw new Error(`Temporal's dev server did not start; see ${logFile}`)
  }
}

async function answers(address, child) {
  const deadline = Date.now() + START_TIMEOUT_MS
  while (Date.now() < deadline && child.exitCode === null && child.signalCode === null) {
    if (await hasDefaultNamespace(address)) return true
    await sleep(100)
  }
  return false
}

async function hasDefaultNamespace(address) {
  let connection
  try {
    connection = await Connection.connect({ address, connectTimeout: 1000 })
    await connection.workflowService.describeNamespace({ namespace: 'default' })
    return true
  } catch {
    return false
  } finally {
    await connection?.close()
  }
}

async function freePort() {
  const server = createServer().listen(0, HOST)
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}
