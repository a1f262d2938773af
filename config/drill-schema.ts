/** The key `drill` of a policy in snapferry.yaml. */
import { z } from 'zod'
import { DEFAULT_DRILL_TIMEOUT_MINUTES } from '../domain/drill.ts'
import { scheduleSchema } from './schedule-schema.ts'
import { countSchema, durationSchema, regionSchema } from './schema-parts.ts'

const word = z.string().min(1)

/** Less would be an alert for every drill that takes its time. */
const MIN_ALERT_AFTER_MS = 60_000

export const drillSchema = z
  .strictObject({
    schedule: scheduleSchema,
    region: regionSchema.meta({ description: 'Region of the throw-away disk' }),
    resourceGroup: word.meta({ description: "Resource group of the throw-away disk, in the disk's subscription; it must exist" }),
    point: z.enum(['newest', 'random']).default('newest').meta({ description: 'Which point is restored; never a suspect one' }),
    disks: z.enum(['all', 'one']).default('one').meta({ description: 'Whether each drill takes all disks of the policy or one at random' }),
    command: z
      .array(word, { error: 'expected a list of words such as [node, examples/fsck-ext4.mjs]' })
      .min(1, { error: 'a command needs at least its program' })
      .optional()
      .meta({ description: 'Program and arguments run on a worker, the path of the image appended; workers must allow it (worker.runDrillCommands)' }),
    timeoutMinutes: countSchema
      .min(1)
      .max(20_000)
      .default(DEFAULT_DRILL_TIMEOUT_MINUTES)
      .meta({ description: 'A drill that takes longer fails' }),
    alertAfter: durationSchema.meta({ description: 'An alert is raised when no drill has succeeded for so long' }),
  })
  .check((context) => {
    const { alertAfter, schedule } = context.value
    const complain = (message: string) => context.issues.push({ code: 'custom', input: alertAfter, path: ['alertAfter'], message })
    if (alertAfter < MIN_ALERT_AFTER_MS) complain('the shortest silence is 1m')
    if (schedule.kind === 'every' && alertAfter <= schedule.everyMs) complain('it must be longer than the interval of `schedule`, or every drill would be late')
  })
  .meta({ description: 'Restores to a throw-away disk that is compared, timed and deleted' })

export type DrillInput = z.output<typeof drillSchema>
