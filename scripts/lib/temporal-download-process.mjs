/** Makes the SDK download Temporal's CLI, by starting a dev server with it: `temporal-download-process.mjs VERSION FOLDER`. */
import { TestWorkflowEnvironment } from '@temporalio/testing'

const [version, downloadDir] = process.argv.slice(2)
const executable = { type: 'cached-download', version, downloadDir, ttl: '1d' }
const environment = await TestWorkflowEnvironment.createLocal({ server: { executable } })
await environment.teardown()
