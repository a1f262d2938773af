/** Commands that come to nothing because of what is around them say so by their exit code. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Http2Server } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'

const PROGRAM = join(process.cwd(), 'bin/snapferry.mjs')
const UNAUTHENTICATED = 16
const PERMISSION_DENIED = 7

/** Answers every call of gRPC with a status. */
let server: Http2Server
let status = UNAUTHENTICATED
beforeAll(async () => {
  server = createServer()
  server.on('stream', (stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': String(status), 'grpc-message': 'Request unauthorized.' }, { endStream: true })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterAll(() => void server?.close())

async function run(args: readonly string[], env: Readonly<Record<string, string>>, readsStderr = true): Promise<{ exitCode: unknown; stderr: string }> {
  const child = spawn(process.execPath, [PROGRAM, ...args], { env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'pipe'] })
  let stderr = ''
  if (readsStderr) child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  else child.stderr.destroy()
  const [exitCode] = (await once(child, 'exit')) as unknown[]
  return { exitCode, stderr }
}

test.each([
  ['refuses its credentials', UNAUTHENTICATED, 'refuses the credentials; see TEMPORAL_API_KEY'],
  ['denies it access', PERMISSION_DENIED, 'denies access'],
])('a worker whose Temporal %s ends with 6 and says so', async (_, answer, message) => {
  status = answer
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const { exitCode, stderr } = await run(['worker'], { TEMPORAL_ADDRESS: address, SNAPFERRY_TASK_QUEUE: 'refused' })
  expect({ exitCode, stderr }).toEqual({ exitCode: 6, stderr: expect.stringContaining(message) })
})

test('a worker whose Temporal does not answer ends with 5', async () => {
  const { exitCode, stderr } = await run(['worker'], { TEMPORAL_ADDRESS: '127.0.0.1:1', SNAPFERRY_TASK_QUEUE: 'nobody' })
  expect({ exitCode, stderr }).toEqual({ exitCode: 5, stderr: expect.stringContaining('does not answer at 127.0.0.1:1') })
})

test('a command whose messages nobody reads ends with its own exit code', async () => {
  expect((await run(['bakcup'], {}, false)).exitCode).toBe(2)
})
