#!/usr/bin/env node
/** Starts the compiled command line; says what to do where it was not compiled yet. */
import { existsSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'

// A worker waits more than it computes, and runs for months: V8 shall keep its heap small rather than let garbage lie. Looked after by
// test/e2e/worker-process.
if (process.argv.includes('worker')) setFlagsFromString('--optimize-for-size')

const entry = new URL('../dist/client/main.js', import.meta.url)
if (existsSync(entry)) {
  const { main } = await import(entry.href)
  process.exitCode = await main(process.argv.slice(2))
} else {
  process.stderr.write('snapferry is not compiled yet; run "npm run build" first\n')
  process.exitCode = 1
}
