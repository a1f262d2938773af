/** A local Azure for one witness, as a process of its own, with a resource group and a storage account in two regions. */
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startService, stop } from '../lib/processes.mjs'
import { combineCertificates } from '../lib/trusted-certificates.mjs'
import { DIST } from '../lib/workspace.mjs'

const START_TIMEOUT_MS = 60_000
export const GROUP = 'witness'
export const ACCOUNT = 'witness'
export const REGION = 'westeurope'
const OTHER_REGION = 'northeurope'

/**
 * @typedef {object} Stage
 * @property {string} folder for what the witness makes; removed at the end
 * @property {Record<string, string>} azure the ready file: endpoints and names
 * @property {NodeJS.ProcessEnv} env for child processes: endpoints, identity and trust, for clients in Node and in Python
 * @property {(method: string, path: string, body?: Buffer | object) => Promise<Buffer>} control a request to the control API
 * @property {() => Promise<void>} close
 */

/** @returns {Promise<Stage>} */
export async function openStage() {
  const folder = await mkdtemp(join(tmpdir(), 'snapferry-conformance-'))
  const readyFile = join(folder, 'azure.json')
  const logFile = join(folder, 'azure.log')
  const args = [join(DIST, 'simulator/main.js'), '--ready-file', readyFile, '--ca-dir', join(folder, 'ca')]
  const service = await startService(process.execPath, args, { logFile })
  const close = async () => {
    await stop(service)
    await rm(folder, { recursive: true, force: true })
  }
  try {
    await waitFor(readyFile, logFile)
    const azure = JSON.parse(await readFile(readyFile, 'utf8'))
    const trusted = join(folder, 'trusted.pem')
    await combineCertificates(azure.caFile, trusted)
    const control = controlOf(azure.controlEndpoint)
    await control('PUT', '/resource-groups', { name: GROUP, location: REGION })
    await control('PUT', '/accounts', { name: ACCOUNT, region: OTHER_REGION })
    const env = {
      ...process.env,
      ...azure.env,
      NODE_EXTRA_CA_CERTS: trusted,
      REQUESTS_CA_BUNDLE: trusted,
      WITNESS_SUBSCRIPTION_ID: azure.subscriptionId,
      WITNESS_RESOURCE_GROUP: GROUP,
      WITNESS_REGION: REGION,
      WITNESS_ACCOUNT_URL: `${azure.blobEndpoint}/${ACCOUNT}`,
      WITNESS_CONTROL_ENDPOINT: azure.controlEndpoint,
    }
    return { folder, azure, env, control, close }
  } catch (error) {
    await close()
    throw error
  }
}

async function waitFor(readyFile, logFile) {
  const deadline = Date.now() + START_TIMEOUT_MS
  while (!existsSync(readyFile)) {
    if (Date.now() > deadline) throw new Error(`the local Azure did not start: ${await readFile(logFile, 'utf8')}`)
    await sleep(50)
  }
}

function controlOf(endpoint) {
  return async (method, path, body) => {
    const content = body === undefined || Buffer.isBuffer(body) ? body : JSON.stringify(body)
    const response = await fetch(`${endpoint}${path}`, { method, body: content })
    const answer = Buffer.from(await response.arrayBuffer())
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${answer.toString('utf8')}`)
    return answer
  }
}
