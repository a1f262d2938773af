/** `npm run bench`: measures the product on the local Azure; `-- --help` tells the options. */
import { join, resolve } from 'node:path'
import { main } from './lib/main.mjs'
import { exitCodeOf, onInterrupt, start, stop } from './lib/processes.mjs'
import { DIST, prepareWorkspace, ROOT } from './lib/workspace.mjs'

/** The bench runs in the project's folder; files are named as seen from the caller's. */
const OPTIONS_WITH_PATHS = ['--json', '--plots', '--write']

await main(async () => {
  await prepareWorkspace()
  // Its modules need the dependencies, which are there only now.
  const { openBenchStage } = await import('./lib/bench-stage.mjs')
  const stage = await openBenchStage()
  try {
    const args = [join(DIST, 'bench/main.js'), stage.folder, ...process.argv.slice(2).map(asSeenFromHere)]
    const bench = start(process.execPath, args, { cwd: ROOT, env: stage.env })
    onInterrupt(() => void stop(bench))
    process.exitCode = await exitCodeOf(bench)
  } finally {
    await stage.close({ keepsFiles: process.exitCode !== 0 })
  }
})

function asSeenFromHere(argument, index, all) {
  return OPTIONS_WITH_PATHS.includes(all[index - 1]) ? resolve(argument) : argument
}
