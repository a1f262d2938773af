/** The command line as users run it: `snapferry …` in a process of its own, on the scene's Azure and Temporal. */
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { logDirectory, temporalAddress } from './environment.ts'
import type { Scene } from './scene.ts'

export interface CliOptions {
  /** Laid over the environment; undefined unsets. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Default: the project's. */
  readonly cwd?: string
  /** Acts once, as soon as stderr matches; `interrupt` is Ctrl-C. */
  readonly once?: { readonly says: RegExp; readonly act: (interrupt: () => void) => void }
  /** Reads no more than the first piece of stdout, as `head` does. */
  readonly isPipeClosed?: boolean
  /** Somebody sits at a terminal and answers each question so; without it nobody is there to be asked. */
  readonly answer?: string
}

export interface CliResult {
  /** null where a signal ended it. */
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

const PROGRAM = join(process.cwd(), 'bin/snapferry.mjs')
/** Makes pipes pass for a terminal, as a module that Node loads first. */
const AS_TERMINAL = `data:text/javascript,${encodeURIComponent('process.stdin.isTTY=true;Object.assign(process.stderr,{isTTY:true,hasColors:()=>false})')}`

/** Runs `snapferry ARGS` to its end; what it said is kept where the tests search for secrets. */
export async function snapferry(scene: Scene, args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    ...(options.cwd !== undefined && { cwd: options.cwd }),
    env: {
      ...process.env,
      ...scene.azure.env,
      // The CA of the tests is trusted already, beside those of the machine.
      NODE_EXTRA_CA_CERTS: process.env['NODE_EXTRA_CA_CERTS'],
      TEMPORAL_ADDRESS: temporalAddress(),
      SNAPFERRY_TASK_QUEUE: scene.taskQueuePrefix,
      ...(options.answer !== undefined && { NODE_OPTIONS: `${process.env['NODE_OPTIONS'] ?? ''} --import=${AS_TERMINAL}` }),
      ...options.env,
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  child.stdin.end(options.answer === undefined ? '' : `${options.answer}\n`)
  let stdout = ''
  let stderr = ''
  let reaction = options.once
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    if (options.isPipeClosed === true) child.stdout.destroy()
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
    if (!reaction?.says.test(stderr)) return
    const { act } = reaction
    reaction = undefined
    act(() => child.kill('SIGINT'))
  })
  const exitCode = await new Promise<number | null>((resolve) => {
    child.once('close', (code) => resolve(code))
  })
  writeFileSync(join(logDirectory(), `cli-${randomUUID()}.log`), `${args.join(' ')}\n${stdout}\n${stderr}`)
  return { exitCode, stdout, stderr }
}

/**
 * Runs `snapferry ARGS --json`, which has to succeed.
 * @returns the one JSON value on stdout.
 */
export async function snapferryJson<Value>(scene: Scene, args: readonly string[], options?: CliOptions): Promise<Value> {
  const { exitCode, stdout, stderr } = await snapferry(scene, [...args, '--json'], options)
  if (exitCode !== 0) throw new Error(`snapferry ${args.join(' ')} ended with ${exitCode}: ${stderr}`)
  return JSON.parse(stdout) as Value
}
