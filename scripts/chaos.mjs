/** `npm run chaos -- [--histories N] [--seed S]`: the model test of test/chaos, as long as it is told. */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { main } from './lib/main.mjs'
import { run } from './lib/processes.mjs'
import { ROOT } from './lib/workspace.mjs'

await main(async () => {
  const { values } = parseArgs({ options: { histories: { type: 'string', default: '2000' }, seed: { type: 'string' } } })
  const env = {
    ...process.env,
    SNAPFERRY_CHAOS_HISTORIES: values.histories,
    ...(values.seed !== undefined && { SNAPFERRY_TEST_SEED: values.seed }),
  }
  process.exitCode = await run(process.execPath, [join(ROOT, 'scripts/test.mjs'), 'test/chaos/chaos'], { cwd: ROOT, env })
})
