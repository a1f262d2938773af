/**
 * Brings a clone to where its programs can run: dependencies installed, TypeScript compiled.
 *
 * Both steps are left out when their results are up to date, judged by content and not by times, which a clone or a
 * checkout sets as it likes.
 */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run, runQuietly } from './processes.mjs'
import { slowStep } from './slow-step.mjs'

export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
export const DIST = join(ROOT, 'dist')
export const WORKFLOW_BUNDLE = join(DIST, 'workflow-bundle.js')

/** Holds the digest of the sources that dist was built from; written last. */
const BUILD_STAMP = '.sources'
const BUILD_INPUTS = ['tsconfig.json', 'tsconfig.build.json', 'package-lock.json', 'scripts/bundle-workflows.mjs']

/** @returns {string} where the stamp of a build folder lies */
export function buildStampOf(folder) {
  return join(folder, BUILD_STAMP)
}

/** Installs and builds what is missing or old. */
export async function prepareWorkspace() {
  await ensureInstalled()
  await ensureBuilt()
}

/** @throws when npm fails; it has said why. */
export async function ensureInstalled() {
  if (await isInstalled()) return
  const npm = process.env.npm_execpath
  const [command, args] = npm === undefined ? ['npm', ['ci']] : [process.execPath, [npm, 'ci']]
  const code = await slowStep('installing the dependencies with npm ci', () =>
    run(command, args, { cwd: ROOT, shell: npm === undefined && process.platform === 'win32', stdio: ['ignore', 2, 2] }),
  )
  if (code !== 0) throw new Error('npm ci failed')
}

/** @throws when the sources do not compile; the compiler's words are in the message. */
export async function ensureBuilt() {
  if (await isBuilt()) return
  await slowStep('building', () => runQuietly(process.execPath, [join(ROOT, 'scripts/build.mjs')], { cwd: ROOT }))
}

/** npm writes node_modules/.package-lock.json when it is done: what is really installed. */
async function isInstalled() {
  const wanted = await readJson(join(ROOT, 'package-lock.json'))
  const installed = await readJson(join(ROOT, 'node_modules/.package-lock.json'))
  if (wanted === undefined || installed === undefined) return false
  return Object.entries(wanted.packages).every(([path, entry]) => {
    const found = installed.packages[path]
    if (path === '' || entry.link === true) return true
    return found === undefined ? entry.optional === true || entry.devOptional === true : found.version === entry.version
  })
}

async function isBuilt() {
  if (!existsSync(buildStampOf(DIST))) return false
  return (await readFile(buildStampOf(DIST), 'utf8')) === (await digestOfSources())
}

/** SHA-256 over the names and contents of everything that a build depends on. */
export async function digestOfSources() {
  const { include } = await readJson(join(ROOT, 'tsconfig.build.json'))
  const sources = await Promise.all(include.map((folder) => filesBelow(folder)))
  const hash = createHash('sha256')
  const files = [...BUILD_INPUTS, ...sources.flat()].sort((one, other) => (one < other ? -1 : 1))
  for (const file of files) {
    hash.update(`${file}\0`).update(await readFile(join(ROOT, file))).update('\0')
  }
  return hash.digest('hex')
}

async function filesBelow(folder) {
  if (!existsSync(join(ROOT, folder))) return []
  const names = await readdir(join(ROOT, folder), { recursive: true })
  return names.filter((name) => name.endsWith('.ts')).map((name) => `${folder}/${name}`)
}

async function readJson(file) {
  return existsSync(file) ? JSON.parse(await readFile(file, 'utf8')) : undefined
}
