/** A worker as users run it, as the bench's child: what it took of the processor and of memory, and what it asked of Temporal. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { open, readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { request } from 'undici'

/** The unit of /proc/PID/stat on every architecture that Node runs on (proc(5), USER_HZ). */
const TICKS_PER_SECOND = 100
const HEARTBEATS = /^temporal_request(?:_total)?\{[^}]*operation="RecordActivityTaskHeartbeat"[^}]*\} (\d+)/gm

export interface WorkerChild {
  /** Of the processor, since it started; undefined where the system does not tell (all but Linux). */
  cpuSeconds(): Promise<number | undefined>
  /** The largest resident set so far; undefined as above. */
  peakMemoryBytes(): Promise<number | undefined>
  /** Heartbeats that went to Temporal so far. */
  heartbeats(): Promise<number>
  stop(): Promise<void>
}

/** @param env the product's settings. @param nodeOptions as in NODE_OPTIONS. */
export async function startWorkerChild(env: NodeJS.ProcessEnv, folder: string, nodeOptions: readonly string[] = []): Promise<WorkerChild> {
  const metricsAddress = `127.0.0.1:${await freePort()}`
  const log = await open(join(folder, 'worker.log'), 'a')
  const child = spawn(process.execPath, [...nodeOptions, 'bin/snapferry.mjs', 'worker'], {
    env: { ...env, SNAPFERRY_METRICS_ADDRESS: metricsAddress },
    stdio: ['ignore', log.fd, log.fd],
  })
  await log.close()
  const ended = once(child, 'exit')
  const kill = (): void => void child.kill('SIGKILL')
  process.once('exit', kill)
  child.once('exit', () => process.off('exit', kill))
  const proc = (file: string): Promise<string | undefined> => readFile(`/proc/${child.pid}/${file}`, 'utf8').catch(() => undefined)
  return {
    async cpuSeconds() {
      const stat = await proc('stat')
      return stat === undefined ? undefined : secondsIn(stat, 'own')
    },
    async peakMemoryBytes() {
      const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec((await proc('status')) ?? '') ?? []
      return kib === undefined ? undefined : Number(kib) * 1024
    },
    async heartbeats() {
      const { body } = await request(`http://${metricsAddress}/metrics`)
      return [...(await body.text()).matchAll(HEARTBEATS)].reduce((sum, [, count]) => sum + Number(count), 0)
    },
    async stop() {
      await stopped(child, ended)
    },
  }
}

/** What the processor spent on children of this process that have ended, and on theirs. Undefined where the system does not tell. */
export async function cpuSecondsOfEndedChildren(): Promise<number | undefined> {
  const stat = await readFile('/proc/self/stat', 'utf8').catch(() => undefined)
  return stat === undefined ? undefined : secondsIn(stat, 'children')
}

/** User and system time. */
function secondsIn(stat: string, whose: 'own' | 'children'): number {
  // The second field is a name in parentheses that may hold anything; fields are counted from behind it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [user, system] = whose === 'own' ? [fields[11], fields[12]] : [fields[13], fields[14]]
  return (Number(user) + Number(system)) / TICKS_PER_SECOND
}

async function stopped(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGTERM')
  await ended
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port is free')
  return address.port
}
