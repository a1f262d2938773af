/** `npm run bench`: sets up Temporal, the local Azure and a worker as `npm start` does, and measures on them. */
import { join, resolve } from 'node:path'
import { main } from './lib/main.mjs'
import { exitCodeOf, onInterrupt, start, stop } from './lib/processes.mjs'
import { DIST, prepareWorkspace, ROOT } from './lib/workspace.mjs'

await main(async () => {
  await prepareWorkspace()
  // Its modules need the dependencies, which are there only now.
  const { openStage } = await import('./lib/demo-stage.mjs')
  const stage = await openStage()
  try {
    const args = [join(DIST, 'bench/main.js'), stage.folder, ...process.argv.slice(2).map(asSeenFromHere)]
    const bench = start(process.execPath, args, { cwd: ROOT, env: stage.env })
    onInterrupt(() => void stop(bench))
    process.exitCode = await exitCodeOf(bench)
  } finally {
    await stage.close({ keepsFiles: process.exitCode !== 0 })
  }
})

/** The bench runs in the project's folder; files are named as seen from the caller's. */
function asSeenFromHere(argument, index, all) {
  return all[index - 1] === '--json' ? resolve(argument) : argument
}
