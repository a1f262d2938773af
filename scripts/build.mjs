/**
 * `npm run build`: compiles to dist/ and bundles the workflows beside it. Needs neither Temporal nor a network.
 *
 * Code that does not compile leaves the dist of before in place. The stamp that calls a dist complete comes last. Without the
 * development dependencies (`npm ci --omit=dev`) there is no compiler: a dist that is there is left as it is.
 */
import { existsSync } from 'node:fs'
import { rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from './lib/processes.mjs'
import { buildStampOf, digestOfSources, DIST, ROOT, WORKFLOW_BUNDLE } from './lib/workspace.mjs'

const COMPILER = 'node_modules/typescript/bin/tsc'

async function build() {
  if (!existsSync(join(ROOT, COMPILER))) return keepDist()
  const digest = await digestOfSources()
  const fresh = `${DIST}.new`
  await rm(fresh, { recursive: true, force: true })
  if (!(await node(COMPILER, '-p', 'tsconfig.build.json', '--outDir', fresh))) {
    return rm(fresh, { recursive: true, force: true })
  }
  await rm(DIST, { recursive: true, force: true })
  await rename(fresh, DIST)

  if (!(await node('scripts/bundle-workflows.mjs', join(DIST, 'workflows/index.js'), WORKFLOW_BUNDLE))) return
  await writeFile(buildStampOf(DIST), digest)
}

function keepDist() {
  if (existsSync(buildStampOf(DIST))) return process.stderr.write('TypeScript is not installed: dist/ is left as it is\n')
  process.stderr.write('error: there is no dist/, and TypeScript, which makes it, is not installed: run `npm ci`, then `npm prune --omit=dev`\n')
  process.exitCode = 1
}

/** Whether it succeeded; if not, its exit code becomes ours. */
async function node(...args) {
  process.exitCode = await run(process.execPath, args, { cwd: ROOT })
  return process.exitCode === 0
}

await build()
