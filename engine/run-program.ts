/**
 * Runs a program of the operator's: words without a shell, a bare environment, the end of its output kept.
 *
 * The environment holds nothing of ours beside PATH, HOME, LANG, TMPDIR and TZ: credentials of the worker are no business of it.
 */
import { spawn } from 'node:child_process'
import { env, kill } from 'node:process'
import { BackupError, redact } from '../domain/failures.ts'

export interface ProgramRun {
  /** null: it was ended by a signal. */
  readonly exitCode: number | null
  readonly seconds: number
  /** The last 2 KiB of stdout and stderr, secrets taken out. */
  readonly output: string
}

export interface ProgramOptions {
  /** Given to it on stdin, which is closed then. */
  readonly input?: string
  /** Ends it, and what it has started. */
  readonly signal?: AbortSignal | undefined
}

const KEPT_BYTES = 2048
const PASSED_ON = ['PATH', 'HOME', 'LANG', 'TMPDIR', 'TZ', 'SystemRoot'] as const

/** @throws BackupError InvalidConfig where it cannot be started; the signal's reason when it was aborted. */
export async function runProgram(words: readonly string[], { input, signal }: ProgramOptions = {}): Promise<ProgramRun> {
  signal?.throwIfAborted()
  const [program = '', ...args] = words
  const startedMs = performance.now()
  const environment = Object.fromEntries(PASSED_ON.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])))
  // A group of its own on POSIX, so that what it has started ends with it.
  const isGroup = process.platform !== 'win32'
  const child = spawn(program, args, { env: environment, shell: false, detached: isGroup, stdio: ['pipe', 'pipe', 'pipe'] })
  let kept = Buffer.alloc(0)
  const keep = (data: Buffer): void => {
    kept = Buffer.concat([kept, data]).subarray(-KEPT_BYTES)
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  // Who does not read its input has ended: that it says by its exit code.
  child.stdin.on('error', () => undefined)
  child.stdin.end(input ?? '')
  const end = (): void => {
    if (child.pid !== undefined) endGroup(child.pid, isGroup)
  }
  signal?.addEventListener('abort', end, { once: true })
  try {
    const exitCode = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', resolve)
    }).catch((cause: unknown) => {
      throw new BackupError({
        type: 'InvalidConfig',
        message: `program ${program} cannot be run on the worker: ${cause instanceof Error ? cause.message : String(cause)}; install it there, or name its whole path`,
        facts: { program },
        cause,
      })
    })
    signal?.throwIfAborted()
    return { exitCode, seconds: (performance.now() - startedMs) / 1000, output: redact(kept.toString('utf8')).trim() }
  } finally {
    signal?.removeEventListener('abort', end)
  }
}

function endGroup(pid: number, isGroup: boolean): void {
  try {
    kill(isGroup ? -pid : pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}
