/**
 * The shape of snapferry.yaml as a whole.
 *
 * Every object is strict: a key that is not known is a mistake, never ignored. The same schema is printed as JSON
 * Schema for editors (`snapferry config schema`).
 */
import { z } from 'zod'
import { policySchema } from './policy-schema.ts'
import { countSchema, isSocketAddress, MAX_CONCURRENT_TRANSFERS, SOCKET_ADDRESS, targetSchema } from './schema-parts.ts'

const text = z.string().min(1)
const priceSchema = z.number().nonnegative()

/** Part of a schedule id, which people type. */
const policyName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, {
  error: 'a policy name has 1 to 63 letters, digits, dots, hyphens or underscores',
})

export const configSchema = z
  .strictObject({
    target: targetSchema.optional(),
    policies: z.record(policyName, policySchema).default({}),
    temporal: z
      .strictObject({
        address: text.optional().meta({ description: 'host:port; TEMPORAL_ADDRESS overrides it' }),
        namespace: text.optional().meta({ description: 'TEMPORAL_NAMESPACE overrides it' }),
        profile: text
          .optional()
          .meta({ description: "Profile of Temporal's own configuration file; TEMPORAL_PROFILE overrides it" }),
      })
      .default({}),
    azure: z
      .strictObject({
        resourceManagerEndpoint: z.url({ protocol: /^https$/, error: 'expected an https URL' }).optional(),
        resourceManagerAudience: text.optional(),
      })
      .default({})
      .meta({ description: 'Only for clouds other than the public one' }),
    worker: z
      .strictObject({
        taskQueue: text.optional().meta({ description: 'Prefix of the task queues; default snapferry' }),
        maxConcurrentTransfers: z
          .int()
          .min(1)
          .max(MAX_CONCURRENT_TRANSFERS)
          .optional()
          .meta({ description: 'Extents that one worker moves at the same time; default 16' }),
        maxMibPerSecond: countSchema
          .min(1)
          .optional()
          .meta({ description: 'Cap on what one worker writes to Azure; default none' }),
        maxRequestsPerSecond: countSchema
          .min(1)
          .optional()
          .meta({ description: 'Cap on the requests by which it does so; default none' }),
        metricsAddress: z
          .string()
          .refine(isSocketAddress, { error: `expected ${SOCKET_ADDRESS}` })
          .optional()
          .meta({ description: 'IP:port for Prometheus; default none' }),
        runDrillCommands: z
          .boolean()
          .optional()
          .meta({ description: 'Run the programs that drills of policies name; default false' }),
        alertCommand: z
          .array(text)
          .min(1)
          .optional()
          .meta({ description: 'Program and arguments that get alerts as JSON on stdin; default none' }),
      })
      .default({}),
    prices: z
      .strictObject({
        currency: text.exactOptional().meta({ description: 'Shown beside amounts, such as EUR' }),
        egressPerGib: priceSchema.exactOptional().meta({ description: 'Bandwidth between regions, a GiB' }),
        readsPer10k: priceSchema.exactOptional().meta({ description: 'Read operations of the storage account, ten thousand' }),
        diskPerGibMonth: priceSchema.exactOptional().meta({ description: 'The disk that is made, a GiB and month' }),
      })
      .default({})
      .meta({ description: 'What `restore plan` reckons with; no price is built in' }),
  })
  .check((context) => {
    for (const [name, policy] of Object.entries(context.value.policies)) {
      if (policy.target === undefined && context.value.target === undefined) {
        context.issues.push({
          code: 'custom',
          input: policy,
          path: ['policies', name],
          message: 'no `target`, neither in the policy nor at the top of the file',
        })
      }
    }
  })

export type ConfigInput = z.output<typeof configSchema>

/** JSON Schema of the file, for editors and for the search of near keys. */
export function configJsonSchema(): Record<string, unknown> {
  const { $schema, ...schema } = z.toJSONSchema(configSchema, { io: 'input' })
  return { $schema, title: 'snapferry.yaml', ...schema }
}
