/**
 * Shows a run while somebody waits for it: a bar on a terminal, elsewhere a line for each phase and one in a while.
 * What goes wrong and is tried again is said once in full, then in a few words. Always on stderr; stdout belongs to
 * the result.
 */
import cliProgress from 'cli-progress'
import { formatBytes, formatEta, formatRate, percentOf } from './format.ts'
import { isTerminal, type Output } from './output.ts'
import { describeAttempt, describeRetry } from './pending-retries.ts'
import { createRateMeter } from './rate-meter.ts'
import type { RunState } from './run-state.ts'
import { describeWaiting } from './waiting-step.ts'

export interface ProgressView {
  /** What is not known yet is left out. */
  show(state: Partial<RunState>, nowMs: number): void
  close(): void
}

export function createProgressView(output: Output): ProgressView {
  return output.isTerminal ? barView(output) : lineView(output)
}

const UNKNOWN = '-'

interface Figures {
  readonly phase: string
  readonly moved: string
  readonly rate: string
  readonly left: string
}

/** Keeps the rate from one look to the next. */
function createFigures(): (state: Partial<RunState>, nowMs: number) => Figures {
  const meter = createRateMeter()
  return (state, nowMs) => {
    const { phase = 'waiting for a worker', movedBytes = 0, totalBytes } = state
    const isMoving = phase === 'transfer' && totalBytes !== undefined
    if (isMoving) meter.add(nowMs, movedBytes)
    const bytesPerSecond = isMoving ? meter.bytesPerSecond() : undefined
    return {
      phase,
      moved: movedText(state, movedBytes),
      rate: formatRate(bytesPerSecond),
      left: isMoving ? formatEta(Math.max(0, totalBytes - movedBytes), bytesPerSecond) : UNKNOWN,
    }
  }
}

function movedText({ totalBytes, copyPercent }: Partial<RunState>, movedBytes: number): string {
  if (copyPercent !== undefined) return `${Math.floor(copyPercent)}% copied by Azure`
  return totalBytes === undefined ? UNKNOWN : `${formatBytes(movedBytes)} of ${formatBytes(totalBytes)}`
}

/** Says what the run warns of, and why a step is tried again, each in full where it is new. */
function createNotes(): (state: Partial<RunState>, nowMs: number) => string[] {
  let said = new Set<string>()
  const warned = new Set<string>()
  return ({ warnings = [], retries = [] }, nowMs) => {
    const unheard = warnings.filter((warning) => !warned.has(warning))
    for (const warning of unheard) warned.add(warning)
    const reasons = new Map(retries.map((retry) => [`${retry.activity} ${retry.lastFailure.message}`, retry]))
    const fresh = [...reasons].filter(([reason]) => !said.has(reason))
    said = new Set(reasons.keys())
    return [...unheard, ...fresh.map(([, retry]) => describeRetry(retry, nowMs))]
  }
}

function barView(output: Output): ProgressView {
  const figures = createFigures()
  const notes = createNotes()
  const barsize = barSizeOf(output.stderr)
  const bar = new cliProgress.SingleBar(
    {
      format: `{phase}${barsize > 0 ? ' [{bar}]' : ''} {percentage}%  {state}`,
      stream: output.stderr,
      hideCursor: true,
      barsize,
      // Makes room for a note; whatever ends the run says more than a bar that stands still.
      clearOnComplete: true,
      // Signals are the caller's: a Ctrl-C must first say that the run goes on.
      gracefulExit: false,
    },
    cliProgress.Presets.legacy,
  )
  return {
    show(state, nowMs) {
      const { phase, moved, rate, left } = figures(state, nowMs)
      for (const note of notes(state, nowMs)) {
        bar.stop()
        output.warn(note)
      }
      // While a phase has no figures the bar stands still; the name of the phase tells where the run is.
      const percent = state.copyPercent ?? percentOf(state.movedBytes ?? 0, state.totalBytes) ?? 0
      const [retry] = state.retries ?? []
      const attempt = retry !== undefined && rate === UNKNOWN ? describeAttempt(retry, nowMs) : undefined
      const waits = state.waiting && describeWaiting(state.waiting, nowMs)
      const shown = waits ?? attempt ?? `${moved}  ${rate}  ETA ${left}`
      const payload = { phase: phase.padEnd(8), state: shown }
      if (bar.isActive) bar.update(percent, payload)
      else bar.start(100, percent, payload)
    },
    close() {
      bar.stop()
    },
  }
}

/** What the other parts of the line may take, such as `transfer [] 100%  1023 MiB of 1023 MiB  60.0 MiB/s  ETA 23h 59m`. */
const LINE_WITHOUT_BAR = 62
const MAX_BAR_SIZE = 30

/** A narrow terminal has no room for a bar: the figures are worth more, and a line that wraps cannot be redrawn. */
function barSizeOf(stream: NodeJS.WritableStream): number {
  const columns = isTerminal(stream) ? stream.columns : 0
  return Math.min(MAX_BAR_SIZE, Math.max(0, columns - LINE_WITHOUT_BAR))
}

const LINE_INTERVAL_MS = 15_000

function lineView(output: Output): ProgressView {
  const figures = createFigures()
  const notes = createNotes()
  let lastPhase: string | undefined
  let lastLineMs = 0
  return {
    show(state, nowMs) {
      const { phase, moved, rate, left } = figures(state, nowMs)
      for (const note of notes(state, nowMs)) output.warn(note)
      if (phase === lastPhase && nowMs - lastLineMs < LINE_INTERVAL_MS) return
      lastPhase = phase
      lastLineMs = nowMs
      const figuresKnown = [moved, rate, left === UNKNOWN ? UNKNOWN : `ETA ${left}`].filter((figure) => figure !== UNKNOWN)
      const tried = (state.retries ?? []).map((retry) => `${retry.activity} ${describeAttempt(retry, nowMs)}`)
      const waits = state.waiting === undefined ? [] : [describeWaiting(state.waiting, nowMs)]
      const known = [...figuresKnown, ...tried, ...waits]
      output.note(known.length === 0 ? phase : `${phase}: ${known.join(', ')}`)
    },
    close() {},
  }
}
