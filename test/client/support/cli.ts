/** Runs the command line in this process and keeps what it writes. */
import { Writable } from 'node:stream'
import type { Environment } from '../../../config/settings.ts'
import { main } from '../../../client/main.ts'

export interface CliResult {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

export async function runCli(argv: readonly string[], environment: Environment): Promise<CliResult> {
  const stdout = collector()
  const stderr = collector()
  const exitCode = await main(argv, { environment, stdout: stdout.stream, stderr: stderr.stream })
  return { exitCode, stdout: stdout.text(), stderr: stderr.text() }
}

function collector(): { stream: Writable; text: () => string } {
  const chunks: string[] = []
  const stream = new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      chunks.push(String(chunk))
      done()
    },
  })
  return { stream, text: () => chunks.join('') }
}
