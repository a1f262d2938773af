/**
 * Child processes of the scripts: run to an end, or kept beside as services until stopped.
 *
 * Every child leads a process group of its own, so that a Ctrl-C in the terminal reaches the script alone and the script
 * ends its children in order. None outlives the script's end; services are ended even by a SIGKILL of the script.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { open } from 'node:fs/promises'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'

const HAS_PROCESS_GROUPS = process.platform !== 'win32'
const STOP_TIMEOUT_MS = 30_000
const TIED_PROCESS = fileURLToPath(new URL('tied-process.mjs', import.meta.url))

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set()

process.on('exit', () => {
  for (const child of running) signal(child, 'SIGKILL')
})

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {import('node:child_process').SpawnOptions} [options]
 */
export function start(command, args, options = {}) {
  const child = spawn(command, args, { stdio: 'inherit', detached: HAS_PROCESS_GROUPS, windowsHide: true, ...options })
  running.add(child)
  child.once('exit', () => running.delete(child))
  child.once('error', () => running.delete(child))
  return child
}

/**
 * Starts a service: a program that is there until `stop`, and not longer than this process lives. What it prints is added to
 * a file.
 */
export async function startService(command, args, { logFile, ...options }) {
  const log = await open(logFile, 'a')
  const stdio = ['pipe', log.fd, log.fd]
  const child = start(process.execPath, [TIED_PROCESS, command, ...args], { ...options, stdio })
  await log.close()
  return child
}

/**
 * Waits for a child's end; its exit code, or 128 + the number of the signal that ended it, as shells say it.
 * @param {import('node:child_process').ChildProcess} child
 * @throws when it could not be started.
 */
export async function exitCodeOf(child) {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  return child.exitCode ?? 128 + constants.signals[child.signalCode]
}

/** Starts and waits: the exit code. */
export function run(command, args, options) {
  return exitCodeOf(start(command, args, options))
}

/**
 * Runs to the end without showing anything; what it printed goes into the error if it fails.
 * @returns {Promise<string>} what it wrote to stdout
 */
export async function runQuietly(command, args, options = {}) {
  const child = start(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text))
  const [code] = await Promise.all([exitCodeOf(child), once(child, 'close')])
  if (code !== 0) throw new Error(`${command} ended with ${code}\n${stdout}${stderr}`.trimEnd())
  return stdout
}

/** Asks a child or service to stop, and kills its whole group when it has not after 30 s. Twice is fine. */
export async function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  if (child.stdin === null) signal(child, 'SIGTERM')
  else child.stdin.end()
  const killer = setTimeout(() => signal(child, 'SIGKILL'), STOP_TIMEOUT_MS)
  await ended.finally(() => clearTimeout(killer))
}

/**
 * Calls `onStop` with an exit code at the first Ctrl-C or SIGTERM. Another one two seconds later ends the process at once,
 * and with it its children; one within two seconds is the same key press, which npm passes on once more.
 *
 * A SIGHUP never cuts a stop short: the terminal may close before this process is done, as npm does not wait for it.
 */
export function onInterrupt(onStop) {
  let firstAt
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(name, () => {
      const code = 128 + constants.signals[name]
      if (firstAt === undefined) {
        firstAt = Date.now()
        onStop(code)
      } else if (name !== 'SIGHUP' && Date.now() - firstAt > 2000) {
        process.exit(code)
      }
    })
  }
}

function signal(child, name) {
  if (child.pid === undefined) return
  try {
    if (HAS_PROCESS_GROUPS) process.kill(-child.pid, name)
    else child.kill(name)
  } catch (error) {
    if (error.code !== 'ESRCH') throw error
  }
}
