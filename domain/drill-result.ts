/** What one drill has found: JSON in the target, so that it outlives Temporal. Additive; its format is public. */
import { z } from 'zod'

const FORMAT = 1

const instant = z.iso.datetime({ offset: true })
const count = z.number().int().nonnegative()
const seconds = z.number().nonnegative()

const drillResult = z.object({
  format: z.literal(FORMAT),
  id: z.string(),
  diskId: z.string(),
  policy: z.string().exactOptional(),
  region: z.string(),
  verdict: z.enum(['passed', 'failed']),
  /** Of the catalogue where it has one, else the name of an error. */
  failure: z.object({ type: z.string(), message: z.string() }).exactOptional(),
  startedAt: instant,
  endedAt: instant,
  /** Absent: none could be chosen. */
  point: z.object({ id: z.string(), takenAt: instant, sizeBytes: count }).exactOptional(),
  movedBytes: count.exactOptional(),
  /** `point`: the point has no digests, or has lost them, or is a snapshot that Azure copied; so its own bytes were read. */
  comparedWith: z.enum(['digests', 'point']).exactOptional(),
  comparedBytes: count.exactOptional(),
  /** From the start of the drill until the disk could be used: the recovery time that was measured. */
  rtoSeconds: seconds.exactOptional(),
  /** Seconds by phase, those of the restore as `restore.transfer`. */
  phaseSeconds: z.record(z.string(), seconds),
  command: z
    .object({ words: z.array(z.string()), exitCode: z.number().int().nullable(), seconds, output: z.string() })
    .exactOptional(),
  /** Points that were found to be damaged and are marked as suspect since. */
  suspects: z.array(z.string()).exactOptional(),
  /** What could not be deleted, and why. */
  leftBehind: z.string().exactOptional(),
  warnings: z.array(z.string()),
})

export type DrillResult = Readonly<z.infer<typeof drillResult>>
export type CommandOutcome = NonNullable<DrillResult['command']>

export function encodeDrillResult(result: DrillResult): string {
  return `${JSON.stringify(drillResult.parse(result), null, 2)}\n`
}

/** @returns undefined for what cannot be read: it proves nothing, so it counts as no drill. */
export function decodeDrillResult(text: string): DrillResult | undefined {
  try {
    return drillResult.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}
