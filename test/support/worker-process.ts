/** A worker as users run it: `snapferry worker` in a process of its own, which can be killed. */
import { spawn, type ChildProcess } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { logDirectory, temporalAddress } from './environment.ts'

export interface WorkerProcess {
  readonly pid: number
  /** The largest resident set so far, where the system tells (Linux). */
  peakMemoryBytes(): Promise<number | undefined>
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>
  /** SIGTERM; resolves to the exit code. */
  stop(): Promise<number | null>
}

export interface WorkerPlace {
  readonly azure: { readonly env: Readonly<Record<string, string>> }
  readonly taskQueuePrefix: string
  /** Default: the server that all tests share. */
  readonly temporalAddress?: string
  readonly env?: Readonly<Record<string, string>>
}

export function startWorkerProcess(place: WorkerPlace): WorkerProcess {
  const child = spawn(process.execPath, ['bin/snapferry.mjs', 'worker'], {
    env: {
      ...process.env,
      ...place.azure.env,
      ...place.env,
      // The CA of the tests is trusted already, beside those of the machine.
      NODE_EXTRA_CA_CERTS: process.env['NODE_EXTRA_CA_CERTS'],
      TEMPORAL_ADDRESS: place.temporalAddress ?? temporalAddress(),
      SNAPFERRY_TASK_QUEUE: place.taskQueuePrefix,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const log = createWriteStream(join(logDirectory(), `worker-process-${child.pid}.log`))
  child.stdout.pipe(log, { end: false })
  child.stderr.pipe(log, { end: false })
  const ended = whenEnded(child)
  return {
    pid: child.pid ?? 0,
    async peakMemoryBytes() {
      const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '')
      const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(status) ?? []
      return kib === undefined ? undefined : Number(kib) * 1024
    },
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
    async stop() {
      child.kill('SIGTERM')
      return ended
    },
  }
}

function whenEnded(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => {
    child.once('exit', (code) => resolve(code))
  })
}
