/** What a worker lends to drills beside Azure: its leave to run programs, its way to raise an alert, its metrics. */
import type { DrillResult } from '../domain/drill-result.ts'
import type { DrillReview, DrillReviewRequest } from '../engine/review-drills.ts'

export interface DrillGauges {
  reviewed(request: DrillReviewRequest, review: DrillReview): void
  ended(targetUrl: string, result: DrillResult): void
}

export interface DrillHost {
  /** Whether programs that policies name are run. */
  readonly mayRunCommands: boolean
  /** Program and arguments that get an alert as JSON on stdin; undefined: Temporal and the metrics tell alone. */
  readonly alertCommand?: readonly string[] | undefined
  readonly gauges: DrillGauges
}

/** Runs nothing, shows nothing. */
export const NO_DRILL_HOST: DrillHost = { mayRunCommands: false, gauges: { reviewed() {}, ended() {} } }
