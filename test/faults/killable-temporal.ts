/** A Temporal dev server of its own, that is killed and started again on the same SQLite file and port. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { Connection } from '@temporalio/client'
import { temporalCliPath } from '../support/environment.ts'
import { freePort } from './killable-azure.ts'

export interface KillableTemporal {
  readonly address: string
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>
  restart(): Promise<void>
}

export async function startKillableTemporal(databaseFile: string): Promise<KillableTemporal> {
  const port = await freePort()
  const address = `127.0.0.1:${port}`
  let child: ChildProcess
  const start = async (): Promise<void> => {
    const args = ['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port), '--headless', '--log-level', 'never', '--db-filename', databaseFile]
    child = spawn(temporalCliPath(), args, { stdio: 'ignore' })
    while (!(await answers(address))) {
      if (child.exitCode !== null) throw new Error(`Temporal's dev server ended with ${child.exitCode}`)
      await sleep(100)
    }
  }
  await start()
  process.once('exit', () => child.kill('SIGKILL'))
  return {
    address,
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
    restart: start,
  }
}

async function answers(address: string): Promise<boolean> {
  const connection = await Connection.connect({ address, connectTimeout: 1000 }).catch(() => undefined)
  try {
    await connection?.workflowService.describeNamespace({ namespace: 'default' })
    return connection !== undefined
  } catch {
    return false
  } finally {
    await connection?.close()
  }
}
