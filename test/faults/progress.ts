/** How far a proof is, told twice a minute, and whether the time is up that it was given (`-- --minutes M`). */
import { env, stderr } from 'node:process'

const TOLD_EVERY_MS = 30_000
const LIMIT_MS = Number(env['SNAPFERRY_PROOF_MINUTES'] ?? Infinity) * 60_000

const startedMs = Date.now()
let toldMs = startedMs

/** What was begun goes on to its end; nothing else is begun. */
export function isTimeUp(): boolean {
  return Date.now() - startedMs > LIMIT_MS
}

/** To be called after each case. */
export function tellProgress(done: number, of: number): void {
  if (Date.now() - toldMs < TOLD_EVERY_MS) return
  toldMs = Date.now()
  stderr.write(`${done} of ${of} after ${Math.round((toldMs - startedMs) / 60_000)} min\n`)
}
