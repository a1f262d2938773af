/**
 * Shows a run while somebody waits for it: a bar on a terminal, elsewhere a line for each phase and one in a while.
 * Always on stderr; stdout belongs to the result.
 */
import cliProgress from 'cli-progress'
import { formatBytes, formatEta, formatRate, percentOf } from './format.ts'
import type { Output } from './output.ts'
import { createRateMeter } from './rate-meter.ts'
import type { RunState } from './run-state.ts'

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
      moved: totalBytes === undefined ? UNKNOWN : `${formatBytes(movedBytes)} of ${formatBytes(totalBytes)}`,
      rate: formatRate(bytesPerSecond),
      left: isMoving ? formatEta(Math.max(0, totalBytes - movedBytes), bytesPerSecond) : UNKNOWN,
    }
  }
}

function barView(output: Output): ProgressView {
  const figures = createFigures()
  const bar = new cliProgress.SingleBar(
    {
      format: '{phase} [{bar}] {percentage}%  {moved}  {rate}  ETA {left}',
      stream: output.stderr,
      hideCursor: true,
      barsize: 30,
      // Signals are the caller's: a Ctrl-C must first say that the run goes on.
      gracefulExit: false,
    },
    cliProgress.Presets.legacy,
  )
  let isStarted = false
  return {
    show(state, nowMs) {
      const shown = figures(state, nowMs)
      // While a phase has no figures the bar stands still; the name of the phase tells where the run is.
      const percent = percentOf(state.movedBytes ?? 0, state.totalBytes) ?? 0
      const payload = { ...shown, phase: shown.phase.padEnd(8) }
      if (isStarted) bar.update(percent, payload)
      else bar.start(100, percent, payload)
      isStarted = true
    },
    close() {
      if (isStarted) bar.stop()
    },
  }
}

const LINE_INTERVAL_MS = 15_000

function lineView(output: Output): ProgressView {
  const figures = createFigures()
  let lastPhase: string | undefined
  let lastLineMs = 0
  return {
    show(state, nowMs) {
      const { phase, moved, rate, left } = figures(state, nowMs)
      if (phase === lastPhase && nowMs - lastLineMs < LINE_INTERVAL_MS) return
      lastPhase = phase
      lastLineMs = nowMs
      const known = [moved, rate, left === UNKNOWN ? UNKNOWN : `ETA ${left}`].filter((figure) => figure !== UNKNOWN)
      output.note(known.length === 0 ? phase : `${phase}: ${known.join(', ')}`)
    },
    close() {},
  }
}
