/**
 * `npm run build`: compiles to dist/ and bundles the workflows beside it. Needs neither Temporal nor a network.
 *
 * Code that does not compile leaves the dist of before in place. The stamp that calls a dist complete comes last.
 */
import { rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from './lib/processes.mjs'
import { buildStampOf, digestOfSources, DIST, ROOT, WORKFLOW_BUNDLE } from './lib/workspace.mjs'

async function build() {
  const digest = await digestOfSources()
  const fresh = `${DIST}.new`
  await rm(fresh, { recursive: true, force: true })
  if (!(await node('node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', '--outDir', fresh))) {
    return rm(fresh, { recursive: true, force: true })
  }
  await rm(DIST, { recursive: true, force: true })
  await rename(fresh, DIST)

  if (!(await node('scripts/bundle-workflows.mjs', join(DIST, 'workflows/index.js'), WORKFLOW_BUNDLE))) return
  await writeFile(buildStampOf(DIST), digest)
}

/** Whether it succeeded; if not, its exit code becomes ours. */
async function node(...args) {
  process.exitCode = await run(process.execPath, args, { cwd: ROOT })
  return process.exitCode === 0
}

await build()
