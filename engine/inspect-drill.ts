/** Looks at a restored disk as a whole: every byte is compared, and where a program of the user's is asked for, it is run on the image. */
import type { CommandOutcome } from '../domain/drill-result.ts'
import { BackupError, redact } from '../domain/failures.ts'
import type { PointDigests } from '../domain/manifest.ts'
import { VHD_FOOTER_BYTES } from '../domain/source-disk.ts'
import type { ChunkCheckState } from './check-chunks.ts'
import { compareDrill, type DrillComparison } from './compare-drill.ts'
import { withDrillImage } from './drill-image.ts'
import type { Engine } from './engine.ts'
import type { RestoreJob } from './restore-job.ts'
import { runProgram } from './run-program.ts'

export interface DrillInspection extends DrillComparison {
  readonly compareSeconds: number
  /** Absent: none was asked for, or the bytes differ already. */
  readonly command?: CommandOutcome
}

export interface InspectOptions {
  readonly command?: readonly string[] | undefined
  /** Whether this process runs programs that others name. */
  readonly mayRunCommands: boolean
  readonly resumeFrom?: ChunkCheckState | undefined
  readonly onProgress: (state: ChunkCheckState) => void
  readonly signal?: AbortSignal | undefined
}

/** Changes nothing and leaves nothing behind. @throws BackupError CommandRefused | InvalidConfig | LocalDiskFull | … */
export async function inspectDrill(engine: Engine, job: RestoreJob, digests: PointDigests | undefined, options: InspectOptions): Promise<DrillInspection> {
  const { command, mayRunCommands, ...compareOptions } = options
  const { signal } = options
  const compare = async (image?: Parameters<Parameters<typeof withDrillImage>[1]>[0]): Promise<DrillInspection> => {
    const startedMs = performance.now()
    const compared = await compareDrill(engine, job, digests, { ...compareOptions, ...(image && { image, resumeFrom: undefined }) })
    return { ...compared, compareSeconds: (performance.now() - startedMs) / 1000 }
  }
  if (command === undefined) return compare()
  if (!mayRunCommands) throw refused(command)
  return withDrillImage(job.blobBytes - VHD_FOOTER_BYTES, async (image) => {
    const compared = await compare(image)
    if (compared.mismatches.length > 0) return compared
    return { ...compared, command: { words: command.map(redact), ...(await runProgram([...command, image.path], { signal })) } }
  })
}

function refused(command: readonly string[]): BackupError {
  return new BackupError({
    type: 'CommandRefused',
    message: `this worker runs no program for a drill (${command[0]}): whoever may start runs in Temporal could run anything on it; allow it by SNAPFERRY_RUN_DRILL_COMMANDS=1`,
  })
}
