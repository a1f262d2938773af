/** Runs the product's own commands as a user would: each in a process of its own, judged by its exit code and its JSON. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { z } from 'zod'

/** dist/demo/ lies two folders below the project. */
const PROGRAM = fileURLToPath(new URL('../../bin/snapferry.mjs', import.meta.url))

export interface CommandOptions {
  /** Lets the reader see what the command shows while it works; default: only if it fails. */
  readonly isShown?: boolean
}

/**
 * Runs `snapferry ARGS --json` to its end.
 *
 * @returns what it printed, checked by `schema`.
 * @throws with the command's own words when it fails.
 */
export async function snapferry<Result>(
  args: readonly string[],
  schema: z.ZodType<Result>,
  { isShown = false }: CommandOptions = {},
): Promise<Result> {
  const child = spawn(process.execPath, [PROGRAM, ...args, '--json'], {
    stdio: ['ignore', 'pipe', isShown ? 'inherit' : 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  await once(child, 'close')
  if (child.exitCode === 0) return schema.parse(JSON.parse(stdout))
  throw new Error(`snapferry ${args.slice(0, 2).join(' ')} ended with ${child.exitCode}: ${stderr.trim() || stdout.trim()}`)
}

/**
 * Runs a command that prints one line of JSON after another, until the caller leaves the loop or `signal` says so.
 * What is wrong with the command ends the loop early.
 */
export async function* watchSnapferry<Result>(
  args: readonly string[],
  schema: z.ZodType<Result>,
  signal: AbortSignal,
): AsyncGenerator<Result> {
  const child = spawn(process.execPath, [PROGRAM, ...args, '--json'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const kill = (): boolean => child.kill()
  signal.addEventListener('abort', kill)
  try {
    for await (const line of createInterface(child.stdout)) yield schema.parse(JSON.parse(line))
  } finally {
    signal.removeEventListener('abort', kill)
    kill()
  }
}
