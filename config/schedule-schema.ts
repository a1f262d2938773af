/** When a policy runs, as snapferry.yaml says it: a cron line with its time zone, or an interval with its offset. */
import { z } from 'zod'
import { durationSchema, parsedBy } from './schema-parts.ts'

export type PolicySchedule =
  | { readonly kind: 'cron'; readonly cron: string; readonly timeZone: string }
  | { readonly kind: 'every'; readonly everyMs: number; readonly offsetMs: number }

/** The shortest catch-up window that a Temporal Schedule has (server default limits), hence the shortest interval. */
export const MIN_INTERVAL_MS = 10_000

const cron = parsedBy(parseCron, 'a cron line such as "0 2 * * *"').meta({
  description: 'Five fields: minute, hour, day of month, month, day of week; such as 0 2 * * *',
})

const timeZone = parsedBy(parseTimeZone, 'a time zone such as "Europe/Vienna"').meta({
  description: 'IANA time zone of `cron`; default UTC, which has no hour that is skipped or comes twice',
})

export const scheduleSchema = z
  .strictObject({
    cron: cron.optional(),
    timeZone: timeZone.optional(),
    every: durationSchema.optional().meta({ description: 'Interval such as 4h, at least 10s' }),
    offset: durationSchema.optional().meta({ description: 'Shifts the times of `every`; default 0s' }),
  })
  .transform((raw, context): PolicySchedule => {
    const complain = (key: string, message: string) => context.addIssue({ code: 'custom', path: [key], message })
    if (raw.cron !== undefined) {
      if (raw.every !== undefined) complain('every', 'a schedule has `cron` or `every`, not both')
      if (raw.offset !== undefined) complain('offset', '`offset` belongs to `every`; shift a `cron` by its own fields')
      return { kind: 'cron', cron: raw.cron, timeZone: raw.timeZone ?? 'UTC' }
    }
    const { every: everyMs, offset: offsetMs = 0 } = raw
    if (raw.timeZone !== undefined) complain('timeZone', '`timeZone` belongs to `cron`; intervals count from the epoch')
    if (everyMs === undefined) {
      context.addIssue({ code: 'custom', message: 'a schedule needs `cron` or `every`' })
      return z.NEVER
    }
    if (everyMs < MIN_INTERVAL_MS) complain('every', 'the shortest interval is 10s')
    if (offsetMs >= everyMs) complain('offset', 'the offset must be shorter than the interval')
    return { kind: 'every', everyMs, offsetMs }
  })
  .meta({
    description: 'Either `cron` with `timeZone`, or `every` with `offset`',
    oneOf: [{ required: ['cron'] }, { required: ['every'] }],
  })

/** Temporal also takes shorthands, seconds, years and a zone inside the line; one way to say it is enough here. */
function parseCron(text: string): string {
  const fields = text.trim().split(/\s+/)
  if (fields.length !== 5 || !fields.every((field) => /^[A-Za-z0-9*,/-]+$/.test(field))) {
    throw new TypeError(`"${text}" is not a cron line of five fields such as "0 2 * * *"`)
  }
  return fields.join(' ')
}

function parseTimeZone(text: string): string {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone
  } catch {
    throw new TypeError(`"${text}" is not a time zone such as "Europe/Vienna"`)
  }
}
