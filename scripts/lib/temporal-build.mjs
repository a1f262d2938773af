/** Builds Temporal's CLI from its sources with Go: the way that needs nothing but a Go module proxy. */
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { runQuietly } from './processes.mjs'

/** @returns {Promise<string | undefined>} the `go` command if there is one */
export async function findGo() {
  return runQuietly('go', ['version']).then(
    () => 'go',
    () => undefined,
  )
}

/**
 * Builds release `version` into the file `destination`, which appears when it is whole.
 *
 * The release must be named: `@latest` is refused by Go for the replace directives of its go.mod.
 * @throws with the words of Go when the build fails.
 */
export async function buildTemporal(go, version, destination) {
  await mkdir(dirname(destination), { recursive: true })
  const folder = await mkdtemp(`${dirname(destination)}-build-`)
  try {
    const env = { ...process.env, GOBIN: folder }
    await runQuietly(go, ['install', `github.com/temporalio/cli/cmd/temporal@v${version}`], { env })
    const [program] = await readdir(folder)
    await rename(join(folder, program), destination)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
