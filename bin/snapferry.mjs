#!/usr/bin/env node
/** Starts the compiled command line; says what to do where it was not compiled yet. */
import { existsSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'

// While a worker starts; then see worker/small-heap.ts.
if (process.argv.includes('worker')) setFlagsFromString('--optimize-for-size')

// A pipe or a terminal that was closed.
const UNREAD = ['EPIPE', 'EIO']
// `| head` has read enough: a command that still writes then ends, with the code that it has by then. One that must tidy up listens,
// and ends by itself.
process.stdout.on('error', (error) => {
  if (!UNREAD.includes(error.code)) throw error
  if (!process.emit('SIGPIPE', 'SIGPIPE')) setImmediate(() => process.exit())
})
// Where nobody reads what goes wrong, the exit code still says it, and a worker works on.
process.stderr.on('error', (error) => {
  if (!UNREAD.includes(error.code)) throw error
})

const entry = new URL('../dist/client/main.js', import.meta.url)
if (existsSync(entry)) {
  const { main } = await import(entry.href)
  process.exitCode = await main(process.argv.slice(2))
} else {
  process.stderr.write('snapferry is not compiled yet; run "npm run build" first\n')
  process.exitCode = 1
}
