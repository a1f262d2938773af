/** `snapferry status`: what runs, in which phase, how far. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from 'commander'
import type { TemporalLink } from '../../temporal/connect.ts'
import { defineCommand, type Host } from '../command.ts'
import { Interrupted, untilInterrupted } from '../interrupt.ts'
import { isTerminal, type Output } from '../output.ts'
import { createRateMeter, type RateMeter } from '../rate-meter.ts'
import { listRuns, renderRuns } from '../run-list.ts'
import { isUnanswered } from '../run-state.ts'

const WATCH_INTERVAL_MS = 2_000
/** Cursor home, clear to the end: what was drawn before is overwritten without flicker. */
const REDRAW = '\u001b[H\u001b[J'

export function registerStatusCommand(program: Command, host: Host): void {
  defineCommand<{ all?: boolean; watch?: boolean }>(program, host, {
    usage: 'status',
    summary: 'show open runs with phase and progress',
    examples: ['status', 'status --all --json', 'status --watch'],
    configure: (command) =>
      command
        .option('--all', 'also the latest runs that ended')
        .option('--watch', 'refresh every two seconds until Ctrl-C'),
    run: async ({ output, withTemporal }, { all = false, watch = false }) =>
      withTemporal(async (link) => {
        if (watch) return watchRuns(link, host, output, all)
        const runs = await listRuns(link, all)
        const unanswered = runs.filter(isUnanswered)
        output.result(runs, renderRuns(runs, Date.now(), { columns: output.resultColumns }))
        if (unanswered.length > 0) {
          output.warn(`no worker answers for ${unanswered.length} of the open runs; their figures are missing`)
        }
      }),
  })
}

/** With --json each round is one line, so that it can be piped. Ends by Ctrl-C, which is its regular end. */
async function watchRuns(link: TemporalLink, { stdout }: Host, output: Output, withClosed: boolean): Promise<void> {
  const meters = new Map<string, RateMeter>()
  const watching = untilInterrupted('no longer watched', async (signal) => {
    while (!signal.aborted) {
      const runs = await listRuns(link, withClosed)
      const nowMs = Date.now()
      for (const { runId, movedBytes } of runs) {
        const meter = meters.get(runId) ?? createRateMeter()
        meters.set(runId, meter)
        if (movedBytes !== undefined) meter.add(nowMs, movedBytes)
      }
      const text = output.isJson
        ? JSON.stringify(runs)
        : renderRuns(runs, nowMs, {
            columns: output.resultColumns,
            rateOf: ({ runId }) => meters.get(runId)?.bytesPerSecond(),
          })
      if (signal.aborted) return
      stdout.write(`${isTerminal(stdout) && !output.isJson ? REDRAW : ''}${text}\n`)
      await sleep(WATCH_INTERVAL_MS, undefined, { signal }).catch(() => undefined)
    }
  })
  await watching.catch((error: unknown) => {
    if (!(error instanceof Interrupted)) throw error
  })
}
