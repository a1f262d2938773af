/**
 * The shape of one policy in snapferry.yaml.
 *
 * Only what one policy can tell by itself is checked here; what concerns several keys of the file (default target,
 * disks in two policies) is checked in `config-schema.ts` and `policy-file.ts`.
 */
import { z } from 'zod'
import { sameArmId } from '../domain/arm-id.ts'
import { MAX_STRIPES } from '../domain/choose-striping.ts'
import { TARGET_LEVELS } from '../domain/point-check.ts'
import { DEFAULT_MAX_CONCURRENT_DISKS, DEFAULT_RETENTION, DEFAULT_VERIFICATION_DAYS, DEFAULT_VERIFY } from '../domain/policy.ts'
import { drillSchema } from './drill-schema.ts'
import { MIN_INTERVAL_MS, scheduleSchema } from './schedule-schema.ts'
import { countSchema, diskIdSchema, durationSchema, regionSchema, targetSchema } from './schema-parts.ts'

const disks = z
  .array(diskIdSchema, { error: 'expected a list of resource ids of managed disks' })
  .min(1, { error: 'a policy needs at least one disk' })
  .check((context) => {
    for (const [index, id] of context.value.entries()) {
      const first = context.value.findIndex((other) => sameArmId(other, id))
      if (first === index) continue
      const message = `this disk stands twice in the policy, first as number ${first + 1}`
      context.issues.push({ code: 'custom', input: id, path: [index], message })
    }
  })

const retention = z.strictObject({
  keepLast: countSchema
    .min(1, { error: 'at least 1 point is always kept' })
    .default(DEFAULT_RETENTION.keepLast)
    .meta({ description: 'Newest points to keep' }),
})

const verify = z.strictObject({
  level: z
    .enum(['sample', 'source'])
    .optional()
    .meta({ description: 'source: before a point is sealed all that changed is compared, not a sample; default sample' }),
  sampleChanged: countSchema
    .min(0)
    .default(DEFAULT_VERIFY.sampleChanged)
    .meta({ description: 'Changed chunks that are read on both sides and compared' }),
  sampleUnchanged: countSchema
    .min(0)
    .default(DEFAULT_VERIFY.sampleUnchanged)
    .meta({ description: 'Unchanged chunks that are compared as well' }),
  maxRounds: countSchema
    .min(1)
    .max(10)
    .default(DEFAULT_VERIFY.maxRounds)
    .meta({ description: 'Rounds of transfer and verify before a run fails' }),
})

const copyStart = z
  .strictObject({
    resourceGroup: z.string().min(1).meta({ description: "Resource group of the copied snapshots, in the disk's subscription" }),
    region: regionSchema.meta({ description: 'Region of the copied snapshots' }),
  })
  .meta({ description: 'Where snapshots are copied to, with `engine: copy-start`' })

const verification = z
  .strictObject({
    level: z
      .enum(TARGET_LEVELS, { error: 'expected structure, sample or full; the source is compared before a point is sealed, by `verify: { level: source }`' })
      .default('full')
      .meta({ description: 'How much of the newest point is compared with its digests' }),
    everyDays: countSchema
      .min(1)
      .max(366)
      .default(DEFAULT_VERIFICATION_DAYS)
      .meta({ description: 'full: an equal part a day, so that every chunk is read in so many days; else: once in so many days' }),
    percent: countSchema.min(1).max(100).optional().meta({ description: 'With level sample: how much is read; default 5' }),
  })
  .check((context) => {
    const { level, percent } = context.value
    if (percent === undefined || level === 'sample') return
    context.issues.push({ code: 'custom', input: percent, path: ['percent'], message: 'only a sample has a percent' })
  })

/** What changes nothing of points that Azure's own copy makes. */
const OF_PAGE_BLOBS = ['transfer', 'reseed', 'stripes', 'maxMibPerSecond', 'verification'] as const

export const policySchema = z
  .strictObject({
    target: targetSchema.optional(),
    disks,
    schedule: scheduleSchema,
    jitter: durationSchema.optional().meta({
      description: 'Random delay of each start; default a sixth of `every`, at most 10m, and 5m for `cron`',
    }),
    catchUpWindow: durationSchema.optional().meta({
      description: 'How late a missed start is still made up for; default the interval, 1h for `cron`',
    }),
    retention: retention.default(DEFAULT_RETENTION),
    verify: verify.default(DEFAULT_VERIFY),
    verification: verification.optional(),
    snapshotSku: z
      .enum(['Standard_LRS', 'Standard_ZRS', 'Premium_LRS'])
      .optional()
      .meta({ description: 'Not advised: Azure takes ZRS where the region has it' }),
    snapshotResourceGroup: z
      .string()
      .min(1)
      .optional()
      .meta({ description: "Resource group for source snapshots; default the disk's own" }),
    maxConcurrentDisks: countSchema
      .min(1)
      .max(1000)
      .default(DEFAULT_MAX_CONCURRENT_DISKS)
      .meta({ description: 'Backups that one run of the policy has open at the same time' }),
    engine: z.enum(['page-blob', 'copy-start']).optional().meta({
      description: "What holds the points: a page blob in the target (default), or snapshots that Azure's own CopyStart makes in another region",
    }),
    copyStart: copyStart.optional(),
    transfer: z
      .enum(['copy', 'stream'])
      .optional()
      .meta({ description: 'How bytes are moved: `copy` by the storage service (default; streamed where the source refuses it), or `stream` through the worker' }),
    reseed: z.enum(['compare', 'move']).optional().meta({
      description: 'What a reseed does with what the base blob may hold already; default: compare where the last point has digests, else move',
    }),
    stripes: countSchema
      .min(1)
      .max(MAX_STRIPES)
      .optional()
      .meta({ description: 'Page blobs that each disk is dealt out over, for speed; default as its size needs. A change is a reseed' }),
    maxMibPerSecond: countSchema
      .min(1)
      .optional()
      .meta({ description: 'Cap on what each worker writes for the policy; default none' }),
    drill: drillSchema.optional(),
    paused: z
      .boolean()
      .default(false)
      .meta({ description: 'State of a new schedule; later `policy pause` and `policy resume` decide' }),
  })
  .check((context) => {
    const { schedule, jitter: jitterMs, catchUpWindow: catchUpWindowMs } = context.value
    const complain = (key: string, input: unknown, message: string) =>
      context.issues.push({ code: 'custom', input, path: [key], message })
    if (schedule.kind === 'every' && jitterMs !== undefined && jitterMs >= schedule.everyMs) {
      complain('jitter', jitterMs, 'the jitter must be shorter than the interval')
    }
    const { engine = 'page-blob', copyStart: place, verify: rule } = context.value
    if (engine === 'copy-start' && place === undefined) {
      complain('engine', engine, 'say where snapshots are copied to: `copyStart: { resourceGroup, region }`')
    }
    if (engine !== 'copy-start' && place !== undefined) {
      complain('copyStart', place, 'it belongs to `engine: copy-start`')
    }
    if (engine === 'copy-start') {
      for (const key of OF_PAGE_BLOBS) {
        const input = context.value[key]
        if (input !== undefined) complain(key, input, `with \`engine: copy-start\` Azure moves the bytes, and its copies have no digests; leave \`${key}\` out`)
      }
      if (rule.level === 'source') complain('verify', rule, 'with `engine: copy-start` page lists are compared whole and of the bytes a sample; leave `level: source` out')
    }
    if (catchUpWindowMs !== undefined && catchUpWindowMs < MIN_INTERVAL_MS) {
      complain('catchUpWindow', catchUpWindowMs, 'the shortest catch-up window is 10s')
    }
  })

export type PolicyInput = z.output<typeof policySchema>
