/** Azurite as a child process: Microsoft's emulator, in memory, on a free port of the loopback interface. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

export interface AzuriteServer {
  /** An account is one level below. */
  readonly baseUrl: string
  close(): Promise<void>
}

/** @param program its `dist/src/blob/main.js` */
export async function startAzurite(program: string, account: { name: string; key: string }): Promise<AzuriteServer> {
  const options = ['--blobPort', '0', '--inMemoryPersistence', '--disableTelemetry', '--skipApiVersionCheck', '--silent']
  const child = spawn(process.execPath, [program, ...options], {
    env: { ...process.env, AZURITE_ACCOUNTS: `${account.name}:${account.key}` },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  const close = async (): Promise<void> => {
    child.kill('SIGKILL')
    await ended
  }
  for await (const line of createInterface({ input: child.stdout })) {
    const [baseUrl] = /http:\/\/127\.0\.0\.1:[1-9]\d*/.exec(line) ?? []
    if (baseUrl === undefined) continue
    child.stdout.resume()
    return { baseUrl, close }
  }
  throw new Error('Azurite ended before it listened')
}
