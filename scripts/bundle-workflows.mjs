/**
 * Bundles compiled workflows into the one file that workers load: `bundle-workflows.mjs ENTRY BUNDLE`.
 *
 * The bundler refuses workflows that reach for anything not deterministic, such as an activity's code or a Node built-in.
 */
import { writeFile } from 'node:fs/promises'
import { bundleWorkflowCode } from '@temporalio/worker'

const [entry, bundle] = process.argv.slice(2)
if (entry === undefined || bundle === undefined) throw new Error('usage: bundle-workflows.mjs ENTRY BUNDLE')

const quiet = () => {}
const warn = (message) => process.stderr.write(`${message}\n`)
const logger = { log: quiet, trace: quiet, debug: quiet, info: quiet, warn, error: warn }

const { code } = await bundleWorkflowCode({ workflowsPath: entry, logger })
await writeFile(bundle, code)
