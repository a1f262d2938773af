/**
 * `npm start`: shows a disk being backed up and restored, on this machine alone, and stays up to be explored until
 * Ctrl-C. `npm start -- --once` ends by itself, with 0 only if every comparison held.
 *
 * Needs Node and npm; all else it brings.
 */
import { join, relative } from 'node:path'
import { main } from './lib/main.mjs'
import { exitCodeOf, onInterrupt, start, stop } from './lib/processes.mjs'
import { DIST, prepareWorkspace, ROOT } from './lib/workspace.mjs'

const isOnce = process.argv.includes('--once')
let isInterrupted = false
const interrupted = new Promise((resolve) => onInterrupt(resolve)).then((code) => {
  isInterrupted = true
  return code
})

await main(async () => {
  const stage = await Promise.race([setUp(), interrupted])
  if (isInterrupted) process.exit(stage)
  try {
    process.exitCode = await play(stage)
  } finally {
    const isFailed = process.exitCode !== 0 && !isInterrupted
    await stage.close({ keepsFiles: isFailed })
    if (isFailed) process.stderr.write(`logs: ${stage.folder}\n`)
  }
})

async function setUp() {
  await prepareWorkspace()
  // Its modules need the dependencies, which are there only now.
  const { openStage } = await import('./lib/demo-stage.mjs')
  return openStage()
}

/** The exit code of the demo, or of the signal that broke it off. A demo that went well may be explored until Ctrl-C. */
async function play({ folder, env }) {
  const demo = start(process.execPath, [join(DIST, 'demo/main.js'), folder], { cwd: ROOT, env })
  const code = await Promise.race([exitCodeOf(demo), interrupted])
  await stop(demo)
  if (code === 0 && !isOnce) {
    process.stdout.write(wayToExplore(folder, env))
    await interrupted
  }
  return code
}

function wayToExplore(folder, env) {
  return [
    '',
    'Temporal, local Azure and worker stay up until Ctrl-C.',
    `  runs and schedules in Temporal's UI:  ${env.SNAPFERRY_DEMO_UI}`,
    '  in another terminal:',
    `    source ${relative(process.cwd(), join(folder, 'env.sh'))}`,
    '    npx snapferry status --all',
    '    npx snapferry points list --target "$SNAPFERRY_DEMO_TARGET"',
    '    npx snapferry policy resume demo',
    '',
  ].join('\n')
}
