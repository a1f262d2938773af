/**
 * Everything that the demo plays on: a Temporal service, the local Azure and a worker, as child processes that write
 * their logs into one folder. Its state is of one start only.
 */
import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { closedEnvironment, shellLines } from './closed-environment.mjs'
import { tryLock } from './lock-file.mjs'
import { startService, stop } from './processes.mjs'
import { openTemporal } from './temporal-service.mjs'
import { combineCertificates } from './trusted-certificates.mjs'
import { DIST, ROOT } from './workspace.mjs'

const FOLDER = join(ROOT, '.snapferry', 'demo')
const STORAGE_ACCOUNT = 'demobackups'
const AZURE_START_TIMEOUT_MS = 30_000

/**
 * @typedef {object} Stage
 * @property {string} folder for what the demo makes
 * @property {NodeJS.ProcessEnv} env what the product's commands need to work on this stage
 * @property {(options: { keepsFiles: boolean }) => Promise<void>} close ends all processes; logs are among the files
 */

/**
 * Opens the stage; what an earlier start left is removed.
 * @returns {Promise<Stage>}
 * @throws when another start is still up in this project.
 */
export async function openStage() {
  const release = await tryLock(`${FOLDER}.lock`)
  if (release === undefined) throw new Error(`another \`npm start\` is up in ${ROOT}; stop it first`)
  const closers = []
  const close = async ({ keepsFiles }) => {
    for (const closeOne of closers.splice(0).toReversed()) await closeOne()
    if (!keepsFiles) await rm(FOLDER, { recursive: true, force: true })
    await release()
  }
  try {
    await rm(FOLDER, { recursive: true, force: true })
    await mkdir(FOLDER, { recursive: true })
    const temporal = await openTemporal(FOLDER, closers, { isSeen: true })
    const azure = await startAzure(closers)

    const trusted = join(FOLDER, 'trusted.pem')
    await combineCertificates(azure.caFile, trusted)
    const settings = {
      ...azure.env,
      ...temporal,
      NODE_EXTRA_CA_CERTS: trusted,
      SNAPFERRY_TASK_QUEUE: 'snapferry-demo',
      SNAPFERRY_CONFIG: join(FOLDER, 'snapferry.yaml'),
      SNAPFERRY_DEMO_TARGET: `${azure.blobEndpoint}/${STORAGE_ACCOUNT}/backups`,
    }
    // The policies are the demo's to write; the commands want to see a file.
    await writeFile(settings.SNAPFERRY_CONFIG, '')
    await writeFile(join(FOLDER, 'env.sh'), shellLines(settings))
    const env = { ...closedEnvironment(process.env), ...settings }
    closers.push(await startNode('worker', [join(ROOT, 'bin/snapferry.mjs'), 'worker'], env))
    return { folder: FOLDER, env, close }
  } catch (error) {
    await close({ keepsFiles: true })
    throw error
  }
}

/** As fast as a page blob on Azure, so that there is something to watch. */
async function startAzure(closers) {
  const readyFile = join(FOLDER, 'azure.json')
  const folders = ['--ca-dir', join(FOLDER, 'ca'), '--data-dir', join(FOLDER, 'azure')]
  const args = [join(DIST, 'simulator/main.js'), '--ready-file', readyFile, '--account', STORAGE_ACCOUNT, '--shape', 'azure', ...folders]
  const stopAzure = await startNode('azure', args, closedEnvironment(process.env))
  closers.push(stopAzure)

  const deadline = Date.now() + AZURE_START_TIMEOUT_MS
  while (!existsSync(readyFile)) {
    if (Date.now() > deadline) throw new Error(`the local Azure did not start; see ${join(FOLDER, 'azure.log')}`)
    await sleep(50)
  }
  return JSON.parse(await readFile(readyFile, 'utf8'))
}

/** Starts a Node program that logs to `NAME.log`; returns what stops it. */
async function startNode(name, args, env) {
  const child = await startService(process.execPath, args, { cwd: ROOT, env, logFile: join(FOLDER, `${name}.log`) })
  return () => stop(child)
}
