/** Kinds of values that snapferry.yaml is made of, checked by the parsers that the rest of the project uses. */
import { isIPv4, isIPv6 } from 'node:net'
import { z } from 'zod'
import { parseArmId } from '../domain/arm-id.ts'
import { parseTargetUrl } from '../domain/target-url.ts'
import { parseDurationMs } from './duration.ts'

/** A parser that throws, as a step of a schema: its message becomes one complaint among others. */
export function parsedBy<Value>(parse: (text: string) => Value, expected: string) {
  return z.string({ error: `expected ${expected}` }).transform((text, context): Value => {
    try {
      return parse(text)
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) })
      return z.NEVER
    }
  })
}

/** Becomes the canonical URL. */
export const targetSchema = parsedBy((text) => parseTargetUrl(text).url, 'the URL of a container').meta({
  description:
    'URL of the container that holds the backups, such as https://account.blob.core.windows.net/backups, ' +
    'in a standard general-purpose v2 account',
})

/** Becomes milliseconds. */
export const durationSchema = parsedBy(parseDurationMs, 'a duration such as "4h"')

export const diskIdSchema = parsedBy((text) => parseArmId(text, 'disks').id, 'the resource id of a managed disk').meta({
  description: '/subscriptions/…/resourceGroups/…/providers/Microsoft.Compute/disks/NAME',
})

export const countSchema = z.int({ error: 'expected a whole number' })

export const SOCKET_ADDRESS = 'IP:port such as 0.0.0.0:9464'

/** `127.0.0.1:9464` or `[::1]:9464`: what Temporal's SDK serves metrics at; it looks up no names. */
export function isSocketAddress(text: string): boolean {
  const [, v6, v4 = '', port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? []
  return (v6 === undefined ? isIPv4(v4) : isIPv6(v6)) && Number(port) <= 65_535
}

/** Extents that one worker may move at the same time. */
export const MAX_CONCURRENT_TRANSFERS = 256

/** Becomes the short name, as ARM takes it. */
export const regionSchema = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9 ]{2,40}$/, { error: 'expected the name of a region such as northeurope' })
  .transform((name) => name.toLowerCase().replaceAll(' ', ''))
