/** `npm run azure -- OPTIONS`: the local Azure from a clone; installs and builds first where needed. */
import { join } from 'node:path'
import { main } from './lib/main.mjs'
import { exitCodeOf, onInterrupt, start, stop } from './lib/processes.mjs'
import { DIST, prepareWorkspace } from './lib/workspace.mjs'

await main(async () => {
  await prepareWorkspace()
  const azure = start(process.execPath, [join(DIST, 'simulator/main.js'), ...process.argv.slice(2)])
  onInterrupt(() => void stop(azure))
  process.exitCode = await exitCodeOf(azure)
})
