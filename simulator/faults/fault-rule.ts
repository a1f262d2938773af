import { z } from 'zod'

/**
 * A rule of the fault plan: which calls it is about, which of those it hits, and what it does to them.
 *
 * All selections that are given must agree. A rule with none of them hits every call of every operation.
 */

const nonEmptyText = z.string().min(1)
const callNumber = z.int().min(1)

export const faultEffectSchema = z.discriminatedUnion('kind', [
  /** An answer in the place of the operation, which does not take place. */
  z.strictObject({
    kind: z.literal('status'),
    status: z.int().min(400).max(599),
    /** Default: what the service says with this status. */
    code: nonEmptyText.optional(),
    message: nonEmptyText.optional(),
    /** Adds the header. */
    retryAfterSeconds: z.int().min(0).optional(),
  }),
  /** The connection ends without an answer, before or after the operation took effect. */
  z.strictObject({ kind: z.literal('reset'), when: z.enum(['before', 'after']) }),
  /** The answer begins, and the connection ends behind so many bytes of its body. */
  z.strictObject({ kind: z.literal('cutBody'), afterBytes: z.int().min(0) }),
  z.strictObject({ kind: z.literal('delay'), when: z.enum(['before', 'after']), delayMs: z.int().min(0) }),
  /** The SAS of the request, and those of the URLs in its headers, have run out from now on. */
  z.strictObject({ kind: z.literal('expireAccess'), whose: z.enum(['request', 'source']).default('source') }),
  /**
   * The request is carried out once more, with its own conditions and rights as they are then. `done`: it is carried
   * out and answered now as well; `lost`: now its connection ends, and nothing has happened yet.
   */
  z.strictObject({
    kind: z.literal('lateWrite'),
    delayMs: z.int().min(0),
    original: z.enum(['done', 'lost']).default('done'),
  }),
  /** A byte is inverted: of the pages that a write stores, or of the body that a read answers. No checksum tells. */
  z.strictObject({ kind: z.literal('flipByte'), atBytes: z.int().min(0).default(0) }),
  /** 401, as for a token that is not valid any more. */
  z.strictObject({ kind: z.literal('refuseToken') }),
  /** A long-running operation is accepted and ends with an error. */
  z.strictObject({
    kind: z.literal('failOperation'),
    code: nonEmptyText.default('InternalServerError'),
    message: nonEmptyText.default('The operation failed.'),
  }),
  /** `completionPercent` is shown as at most this for as long as the rule is there. */
  z.strictObject({ kind: z.literal('stallCompletion'), percent: z.int().min(0).max(99) }),
])

export const faultRuleSchema = z.strictObject({
  /** Names it in lists; made when it is not given. */
  id: nonEmptyText.optional(),
  /** Names of operations, as in the counts of `stats`; `*` stands for any text. */
  operation: z.union([nonEmptyText, z.array(nonEmptyText)]).optional(),
  /** Path: `/account/container/blob`, or that of an ARM resource; `*` stands for any text, case does not matter. */
  resource: nonEmptyText.optional(),
  /** The numbers of the calls to hit, among those that operation and resource select; the first is 1. */
  nth: z.union([callNumber, z.array(callNumber)]).optional(),
  /** Each call whose number is a multiple of it. */
  every: callNumber.optional(),
  /** Chance of each call; the same ones for the same `seed`. */
  probability: z.number().min(0).max(1).optional(),
  seed: z.int().default(1),
  /** Ends after so many hits. */
  times: callNumber.optional(),
  effect: faultEffectSchema,
})

export type FaultEffect = z.infer<typeof faultEffectSchema>
export type FaultKind = FaultEffect['kind']
export type FaultRule = z.infer<typeof faultRuleSchema>
/** As callers write it: what has a default may be left out. */
export type FaultRuleSpec = z.input<typeof faultRuleSchema>
