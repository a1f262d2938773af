/**
 * The programs of the witnesses: where they are kept, and how they get there.
 *
 * They are no dependencies of the project. Each is installed once per machine into a folder of the user's cache, in the version that
 * is named here, and left there.
 */
import { existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { withLock } from '../lib/lock-file.mjs'
import { runQuietly } from '../lib/processes.mjs'
import { slowStep } from '../lib/slow-step.mjs'

const AZURITE_VERSION = '3.35.0'
const AZURE_CLI = 'azure-cli==2.91.0'
const PYTHON_SDKS = ['azure-mgmt-compute==39.0.0', 'azure-storage-blob==12.31.1', 'azure-identity==1.27.0', 'requests']
const BIN = process.platform === 'win32' ? 'Scripts' : 'bin'

/** Why a witness cannot be heard on this machine. */
export class Unavailable extends Error {}

/** @returns {Promise<string>} path of the program to run with Node */
export async function findAzurite() {
  const folder = await installed(`azurite-${AZURITE_VERSION}`, async (fresh) => {
    await runQuietly('npm', ['install', '--prefix', fresh, '--no-audit', '--no-fund', `azurite@${AZURITE_VERSION}`], {
      shell: process.platform === 'win32',
    })
  })
  return join(folder, 'node_modules/azurite/dist/src/blob/main.js')
}

/** @returns {Promise<string>} a Python that has Azure's SDKs */
export async function findPythonSdks() {
  return join(await pythonEnvironment('python-sdks', PYTHON_SDKS), BIN, 'python')
}

/** @returns {Promise<string>} path of `az`: that on PATH, else one of our own */
export async function findAzureCli() {
  return findOnPath('az') ?? join(await pythonEnvironment('azure-cli', [AZURE_CLI]), BIN, 'az')
}

/**
 * @param {string} program
 * @param {string} debianPackage what has it; installed where apt-get may
 * @returns {Promise<string>} its path
 */
export async function findSystemProgram(program, debianPackage) {
  const present = findOnPath(program)
  if (present !== undefined) return present
  if (process.getuid?.() !== 0 || findOnPath('apt-get') === undefined) {
    throw new Unavailable(`there is no ${program}; Debian and Ubuntu have it in the package ${debianPackage}`)
  }
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const aptGet = (...args) => runQuietly('apt-get', args, { env })
  await slowStep(`installing ${debianPackage} with apt-get`, async () => {
    await aptGet('update')
    await aptGet('install', '-y', '--no-install-recommends', debianPackage)
  }).catch((error) => {
    throw new Unavailable(`${debianPackage} cannot be installed: ${lastLine(error)}`)
  })
  return findOnPath(program) ?? program
}

/** A folder with a virtual environment. Its scripts hold its path, so it is made in place, and a mark says that it is whole. */
async function pythonEnvironment(name, packages) {
  const python = findOnPath('python3') ?? findOnPath('python')
  if (python === undefined) throw new Unavailable('there is no Python 3')
  const folder = join(cacheFolder(), name)
  await withLock(`${folder}.lock`, async () => {
    const mark = join(folder, 'whole')
    if (existsSync(mark)) return
    await rm(folder, { recursive: true, force: true })
    await install(name, async () => {
      await runQuietly(python, ['-m', 'venv', folder])
      await runQuietly(join(folder, BIN, 'python'), ['-m', 'pip', 'install', '--quiet', ...packages])
      await mkdir(mark)
    })
  })
  return folder
}

/** The folder of that name; `fill` makes it aside when it is not there yet. */
async function installed(name, fill) {
  const folder = join(cacheFolder(), name)
  return withLock(`${folder}.lock`, async () => {
    if (existsSync(folder)) return folder
    const fresh = `${folder}.new`
    await rm(fresh, { recursive: true, force: true })
    await mkdir(fresh, { recursive: true })
    await install(name, () => fill(fresh))
    await rename(fresh, folder)
    return folder
  })
}

async function install(name, work) {
  await slowStep(`installing ${name}, once per machine`, work).catch((error) => {
    throw new Unavailable(`${name} cannot be installed: ${lastLine(error)}`)
  })
}

function findOnPath(program) {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
  const names = process.platform === 'win32' ? [`${program}.exe`, `${program}.cmd`] : [program]
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).find((path) => existsSync(path))
}

function cacheFolder() {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'snapferry', 'conformance')
}

function lastLine(error) {
  return error.message.trimEnd().split('\n').at(-1)
}
