/**
 * Lets the schedule start exactly one backup and watches it to its end.
 *
 * Before and after, the policy is paused: only then may the disk be changed, since no run can take its snapshot.
 */
import { z } from 'zod'
import { snapferry, watchSnapferry } from './snapferry.ts'

const WAIT_LIMIT_MS = 90_000

const runSchema = z.object({
  workflowId: z.string(),
  type: z.string(),
  startedAt: z.iso.datetime(),
})
const resultSchema = z.object({ point: z.object({ id: z.string() }) })

type Run = z.output<typeof runSchema>

/**
 * @param policy name of a policy that is paused
 * @returns the id of the new recovery point
 * @throws when the schedule starts nothing, or the run fails.
 */
export async function awaitScheduledBackup(policy: string): Promise<string> {
  const since = new Date()
  const resumed = snapferry(['policy', 'resume', policy], z.unknown())
  const [run] = await Promise.all([backupStartedAfter(since), resumed])
  process.stdout.write(`  the schedule started ${run.workflowId} at ${run.startedAt}\n`)
  // From here on no second run can start: a pause does not touch one that is open.
  const paused = snapferry(['policy', 'pause', policy], z.unknown())
  const followed = snapferry(['run', 'follow', run.workflowId], resultSchema, { isShown: true })
  const [{ point }] = await Promise.all([followed, paused])
  return point.id
}

async function backupStartedAfter(since: Date): Promise<Run> {
  // Also those that have ended: an incremental backup may be over between one look and the next.
  const looks = watchSnapferry(['status', '--all', '--watch'], z.array(runSchema), AbortSignal.timeout(WAIT_LIMIT_MS))
  for await (const runs of looks) {
    const started = runs.find((run) => run.type === 'backupDisk' && Date.parse(run.startedAt) >= since.getTime())
    if (started !== undefined) return started
  }
  throw new Error(`the schedule started no backup within ${WAIT_LIMIT_MS / 1000} seconds`)
}
