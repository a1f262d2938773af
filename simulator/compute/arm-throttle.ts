import type { ArmCall, ArmReply } from './arm-call.ts'
import type { ArmRoute } from './arm-routes.ts'
import type { ComputeSettings } from './settings.ts'
import { TokenBucket, type BucketLimit } from './token-bucket.ts'

/**
 * The two layers that throttle requests, each with its own 429.
 *
 * The resource manager counts reads, writes and deletes of a principal in a subscription, and of all principals with 15
 * times the allowance (learn.microsoft.com, Azure Resource Manager, "Request limits and throttling"). Behind it the
 * disk provider counts snapshots that are made, by subscription and region; its body has no `error` around it
 * (MicrosoftDocs/SupportArticles-docs, troubleshooting-throttling-errors.md; bucket names as seen in
 * github.com/Azure/azure-powershell/issues/11464).
 */

/** An answer takes the place of the operation; else the headers go with its answer. */
export type Admission =
  | { readonly kind: 'admitted'; readonly headers: Readonly<Record<string, string>> }
  | { readonly kind: 'throttled'; readonly reply: ArmReply }

export interface ArmThrottle {
  /** Counts the request, unless it is throttled. */
  admit(call: ArmCall, method: ArmRoute['method']): Admission
}

interface Counted {
  readonly bucket: TokenBucket
  readonly limit: BucketLimit
}

interface ProviderCounted extends Counted {
  readonly name: string
  readonly windowMs: number
}

const SUBSCRIPTION_FACTOR = 15
const SNAPSHOT_WINDOWS = [
  { name: 'HighCostSnapshotCreateHydrate3Min', minutes: 3 },
  { name: 'HighCostSnapshotCreateHydrate30Min', minutes: 30 },
] as const

export function createArmThrottle(options: { settings: () => ComputeSettings; clock: () => Date }): ArmThrottle {
  const buckets = new Map<string, TokenBucket>()
  const bucketOf = (...names: string[]): TokenBucket => {
    const key = names.join('/').toLowerCase()
    const known = buckets.get(key)
    if (known !== undefined) return known
    const bucket = new TokenBucket()
    buckets.set(key, bucket)
    return bucket
  }

  const snapshotCounts = (call: ArmCall, subscriptionId: string): ProviderCounted[] => {
    if (call.operation !== 'Snapshots_CreateOrUpdate') return []
    const { snapshotPutsPer3Minutes, snapshotPutsPer30Minutes } = options.settings()
    return SNAPSHOT_WINDOWS.map(({ name, minutes }) => {
      const capacity = minutes === 3 ? snapshotPutsPer3Minutes : snapshotPutsPer30Minutes
      const limit = { capacity, tokensPerSecond: capacity / (minutes * 60) }
      return { name, windowMs: minutes * 60_000, limit, bucket: bucketOf(name, subscriptionId, regionIn(call.body)) }
    })
  }

  return {
    admit(call, method) {
      const settings = options.settings()
      if (!settings.enforceThrottling) return { kind: 'admitted', headers: {} }
      const nowMs = options.clock().getTime()
      const subscriptionId = call.params['subscriptionId'] ?? 'tenant'
      const kind = kindOf(method)
      const own = armLimit(settings, kind)
      const whole = scaled(own, SUBSCRIPTION_FACTOR)
      const ofPrincipal: Counted = { bucket: bucketOf(kind, subscriptionId, call.caller.principalId), limit: own }
      const ofSubscription: Counted = { bucket: bucketOf(kind, subscriptionId), limit: whole }
      const empty = [ofPrincipal, ofSubscription].find(({ bucket, limit }) => bucket.level(limit, nowMs) < 1)
      if (empty !== undefined) {
        const seconds = empty.bucket.secondsToToken(empty.limit, nowMs)
        return { kind: 'throttled', reply: armReply(kind, subscriptionId, call.caller.principalId, seconds) }
      }
      const provider = snapshotCounts(call, subscriptionId)
      const exhausted = provider.find(({ bucket, limit }) => bucket.level(limit, nowMs) < 1)
      if (exhausted !== undefined) return { kind: 'throttled', reply: providerReply(exhausted, nowMs) }

      for (const { bucket, limit } of [ofPrincipal, ofSubscription, ...provider]) bucket.take(limit, nowMs)
      const remaining = provider.map(
        ({ name, bucket, limit }) => `Microsoft.Compute/${name};${bucket.level(limit, nowMs)}`,
      )
      return {
        kind: 'admitted',
        headers: {
          [`x-ms-ratelimit-remaining-subscription-${kind}s`]: String(ofPrincipal.bucket.level(own, nowMs)),
          [`x-ms-ratelimit-remaining-subscription-global-${kind}s`]: String(ofSubscription.bucket.level(whole, nowMs)),
          ...(remaining.length === 0 ? {} : { 'x-ms-ratelimit-remaining-resource': remaining.join(',') }),
        },
      }
    },
  }
}

type RequestKind = 'read' | 'write' | 'delete'

function kindOf(method: ArmRoute['method']): RequestKind {
  if (method === 'GET' || method === 'HEAD') return 'read'
  return method === 'DELETE' ? 'delete' : 'write'
}

function armLimit(settings: ComputeSettings, kind: RequestKind): BucketLimit {
  switch (kind) {
    case 'read':
      return { capacity: settings.readBucket, tokensPerSecond: settings.readsPerSecond }
    case 'write':
      return { capacity: settings.writeBucket, tokensPerSecond: settings.writesPerSecond }
    case 'delete':
      return { capacity: settings.deleteBucket, tokensPerSecond: settings.deletesPerSecond }
  }
}

function scaled(limit: BucketLimit, factor: number): BucketLimit {
  return { capacity: limit.capacity * factor, tokensPerSecond: limit.tokensPerSecond * factor }
}

function regionIn(body: unknown): string {
  const { location } = (body ?? {}) as { location?: unknown }
  return typeof location === 'string' ? location.replaceAll(' ', '') : ''
}

function armReply(kind: RequestKind, subscriptionId: string, principalId: string, seconds: number): ArmReply {
  const message =
    `Number of '${kind}' requests for subscription '${subscriptionId}' actor '${principalId}' exceeded. ` +
    `Please try again after '${seconds}' seconds after additional tokens are available. ` +
    'Refer to https://aka.ms/arm-throttling for additional information.'
  return {
    status: 429,
    headers: { 'Retry-After': String(seconds), [`x-ms-ratelimit-remaining-subscription-${kind}s`]: '0' },
    body: { error: { code: 'SubscriptionRequestsThrottled', message } },
  }
}

function providerReply({ name, windowMs, bucket, limit }: ProviderCounted, nowMs: number): ArmReply {
  const seconds = bucket.secondsToToken(limit, nowMs)
  const detail = {
    operationGroup: name,
    startTime: new Date(nowMs - windowMs).toISOString(),
    endTime: new Date(nowMs).toISOString(),
    allowedRequestCount: limit.capacity,
    measuredRequestCount: limit.capacity + 1,
  }
  return {
    status: 429,
    headers: { 'Retry-After': String(seconds), 'x-ms-ratelimit-remaining-resource': `Microsoft.Compute/${name};0` },
    body: {
      code: 'OperationNotAllowed',
      message: 'The server rejected the request because too many requests have been received for this subscription.',
      details: [{ code: 'TooManyRequests', target: name, message: JSON.stringify(detail) }],
    },
  }
}
