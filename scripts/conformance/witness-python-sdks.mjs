/** Witness: Azure's Python SDKs do the whole backup and restore by themselves. */
import { fileURLToPath } from 'node:url'
import { runQuietly } from '../lib/processes.mjs'
import { openStage } from './stage.mjs'
import { findPythonSdks } from './tools.mjs'

const SCENARIO = fileURLToPath(new URL('seed_scenario.py', import.meta.url))

/** @type {import('./witnesses.mjs').Witness} */
export const pythonSdks = {
  name: 'python-sdks',
  prepare: findPythonSdks,
  async hear(python) {
    const stage = await openStage()
    try {
      const lines = (await runQuietly(python, [SCENARIO], { env: stage.env })).trimEnd().split('\n')
      const digests = lines.filter((line) => line.startsWith('digest')).length
      return [`azure-mgmt-compute, azure-storage-blob and azure-identity restored ${digests} points with equal digests`, ...lines]
    } finally {
      await stage.close()
    }
  },
}
