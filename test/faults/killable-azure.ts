/** The local Azure of test/faults/azure-process.mjs: killed and started again on what it kept, under the same addresses. */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { LocalAzureEndpoints } from '../../simulator/azure.ts'
import { certificateAuthorityDirectory } from '../support/environment.ts'

export interface Trap {
  readonly lane: string
  /** Counted from the setting of the trap. */
  readonly atCall: number
  readonly isAfter: boolean
}

export interface Counts {
  readonly calls: Readonly<Record<string, number>>
  /** Put Page From URL by lane: sent, of them without an answer, and of how many ranges. */
  readonly copies: Readonly<Record<string, { sent: number; inFlight: number; ranges: number }>>
}

export interface KillableAzure {
  readonly endpoints: LocalAzureEndpoints
  /** Lanes whose trap has closed. */
  readonly trapped: ReadonlySet<string>
  set(trap: Trap): void
  /** Lets all held calls go on; `isLost`: their clients get no answer. */
  release(isLost: boolean): void
  counts(): Promise<Counts>
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>
  restart(): Promise<void>
  /** Of the control API. */
  control(method: string, path: string, query?: Record<string, string | number>, body?: Buffer | object): Promise<unknown>
}

interface Message {
  readonly ready?: LocalAzureEndpoints
  readonly trapped?: string
  readonly counts?: Counts
}

export async function startKillableAzure(stateDir: string): Promise<KillableAzure> {
  const [resourceManager, blob, identity, control] = [await freePort(), await freePort(), await freePort(), await freePort()]
  const options = JSON.stringify({ caDir: certificateAuthorityDirectory(), stateDir, ports: { resourceManager, blob, identity, control } })
  const trapped = new Set<string>()
  let child: ChildProcess
  const next = async <Name extends keyof Message>(name: Name): Promise<NonNullable<Message[Name]>> => {
    for (;;) {
      const [message] = (await Promise.race([once(child, 'message'), once(child, 'exit').then(() => [undefined])])) as [Message | undefined]
      if (message === undefined) throw new Error('the local Azure has ended')
      if (message[name] !== undefined) return message[name]
    }
  }
  const start = async (): Promise<LocalAzureEndpoints> => {
    child = fork('test/faults/azure-process.mjs', [options], { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    child.on('message', ({ trapped: lane }: Message) => lane !== undefined && trapped.add(lane))
    return next('ready')
  }
  const endpoints = await start()
  const onExit = (): void => void child.kill('SIGKILL')
  process.once('exit', onExit)
  return {
    endpoints,
    trapped,
    set(trap) {
      trapped.delete(trap.lane)
      child.send({ trap })
    },
    release: (isLost) => void child.send({ release: { isLost } }),
    counts() {
      child.send({ count: true })
      return next('counts')
    },
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
    restart: async () => void (await start()),
    async control(method, path, query = {}, body) {
      const url = new URL(path, endpoints.controlEndpoint)
      for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value))
      const isBytes = Buffer.isBuffer(body)
      const init = body === undefined ? {} : { body: isBytes ? new Uint8Array(body) : JSON.stringify(body), headers: { 'content-type': isBytes ? 'application/octet-stream' : 'application/json' } }
      const response = await fetch(url, { method, ...init })
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
      return response.status === 204 ? undefined : response.json()
    },
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}
