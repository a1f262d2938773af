/**
 * What the bench measures on, as far as a script has to make it: a Temporal service, and the authority that all its
 * processes trust. The local Azure and the workers are the bench's own children, as it asks them what they have done.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { closedEnvironment } from './closed-environment.mjs'
import { tryLock } from './lock-file.mjs'
import { runQuietly } from './processes.mjs'
import { openTemporal } from './temporal-service.mjs'
import { combineCertificates } from './trusted-certificates.mjs'
import { DIST, ROOT } from './workspace.mjs'

const FOLDER = join(ROOT, '.snapferry', 'bench')

/**
 * Opens the stage; what an earlier bench left is removed.
 * @returns {Promise<{ folder: string, env: NodeJS.ProcessEnv, close: (options: { keepsFiles: boolean }) => Promise<void> }>}
 * @throws when another bench is running in this project.
 */
export async function openBenchStage() {
  const release = await tryLock(`${FOLDER}.lock`)
  if (release === undefined) throw new Error(`another \`npm run bench\` is running in ${ROOT}; wait for its end`)
  const closers = []
  const close = async ({ keepsFiles }) => {
    for (const closeOne of closers.splice(0).toReversed()) await closeOne()
    if (!keepsFiles) await rm(FOLDER, { recursive: true, force: true })
    await release()
  }
  try {
    await rm(FOLDER, { recursive: true, force: true })
    await mkdir(FOLDER, { recursive: true })
    const temporal = await openTemporal(FOLDER, closers, { isSeen: false })
    const trusted = join(FOLDER, 'trusted.pem')
    const made = await runQuietly(process.execPath, [join(DIST, 'simulator/main.js'), '--make-ca', join(FOLDER, 'ca')])
    await combineCertificates(made.trim(), trusted)
    const config = join(FOLDER, 'snapferry.yaml')
    // No setting of the machine's own is to be measured.
    await writeFile(config, '')
    const settings = { ...temporal, NODE_EXTRA_CA_CERTS: trusted, SNAPFERRY_CONFIG: config }
    return { folder: FOLDER, env: { ...closedEnvironment(process.env), ...settings }, close }
  } catch (error) {
    await close({ keepsFiles: true })
    throw error
  }
}
