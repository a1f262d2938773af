/**
 * Turns every vendor error into a `BackupError`: the only place that looks at status and error codes of Azure.
 *
 * What it does not know as Azure's (a mistake of ours, a cancellation) passes unchanged. No message, fact or cause
 * holds a request, a URL's query or a token: a cause is kept by its text alone.
 */
import { BackupError, redact, type Facts, type FailureType } from '../domain/failures.ts'
import { isAbort, readVendorError, type VendorError } from './vendor-error.ts'

export interface ErrorContext {
  /** Reads on from "could not": `read`, `delete`, `copy 4194304 bytes at 0 into`. */
  readonly doing: string
  /** What it was done to: `disk /subscriptions/…`. */
  readonly on: string
  readonly facts?: Facts
  /** What a 404 means here. */
  readonly notFound?: FailureType
  /** What an error code or, second, a status means here. */
  readonly when?: Readonly<Record<string, FailureType>>
  /** The right that the call needs, for answers that do not name it. */
  readonly action?: string
}

/** What a code means wherever it is met. */
const CODES: Readonly<Record<string, FailureType>> = {
  ContainerNotFound: 'TargetNotFound',
  ContainerBeingDeleted: 'TargetNotFound',
  SubscriptionNotFound: 'SourceDiskNotFound',
  ServerBusy: 'AzureThrottled',
  OperationTimedOut: 'AzureThrottled',
  TooManyRequests: 'AzureThrottled',
  AccountBeingCreated: 'AzureUnavailable',
  AnotherOperationInProgress: 'AzureUnavailable',
  InternalError: 'AzureUnavailable',
  InternalExecutionError: 'AzureUnavailable',
  InternalOperationError: 'AzureUnavailable',
  InternalServerError: 'AzureUnavailable',
  OperationPreempted: 'AzureUnavailable',
  RetryableError: 'AzureUnavailable',
}

const ADVICE: Partial<Record<FailureType, string>> = {
  SourceDiskNotFound: 'check the resource id, and that the identity may read it',
  SourceSnapshotNotFound: 'the next backup starts from a full transfer',
  PointNotFound:
    'retention or somebody else has deleted it; "snapferry points list" shows what there is, and "snapferry policy pause" keeps it until a restore has ended',
  TargetNotFound: 'create the storage account and the container, or correct the target',
  NotSignedIn:
    'sign in with `az login`, or give the worker a managed identity or AZURE_CLIENT_ID, AZURE_TENANT_ID and a secret',
  AzureThrottled: 'it is tried again later',
  AzureUnavailable: 'it is tried again later',
  SnapshotAccessBusy: 'at most five snapshots of a disk can have a SAS at a time; it is tried again later',
  ExportAccessLost: 'access is requested anew',
  FencedOut: 'another run has taken over the base blob; this one stops',
}

/** Where the code says more than the type. */
const ADVICE_BY_CODE: Readonly<Record<string, string>> = {
  BlobArchived: 'rehydrate the blob to the Hot tier, and leave the container out of lifecycle rules',
  BlobBeingRehydrated: 'wait until the blob is in the Hot tier, and leave the container out of lifecycle rules',
}

/** Meant for `throw translate(error, context)`. */
export function translate(error: unknown, context: ErrorContext): unknown {
  if (error instanceof BackupError || isAbort(error)) return error
  if (isCredentialError(error)) return failure('NotSignedIn', context, firstLineOf(error), error)
  const vendor = readVendorError(error)
  if (vendor === undefined) return error
  const type = classify(vendor, context)
  return failure(
    type,
    context,
    type === 'AccessDenied' ? missingRight(vendor, context) : type === 'NotSignedIn' ? refusedToken(vendor) : reasonOf(vendor),
    error,
    vendor,
  )
}

export function classify(vendor: VendorError, context: Pick<ErrorContext, 'when' | 'notFound'>): FailureType {
  const { status, code } = vendor
  const known =
    (code === undefined ? undefined : (context.when?.[code] ?? CODES[code])) ?? context.when?.[String(status)]
  if (known !== undefined) return known
  if (code !== undefined && /throttl|ratelimit|rateexceeded/i.test(code)) return 'AzureThrottled'
  if (status === undefined) return 'AzureUnavailable'
  if (status === 401) return 'NotSignedIn'
  if (status === 403) return 'AccessDenied'
  if (status === 404) return context.notFound ?? 'AzureRefused'
  if (status === 429) return 'AzureThrottled'
  if (status === 409 && isByAnotherRequest(vendor)) return 'AzureUnavailable'
  if (status === 503 && vendor.retryAfterMs !== undefined) return 'AzureThrottled'
  // A success that the SDK could not use (it breaks off in the middle) says nothing of the outcome.
  return status === 408 || status >= 500 || status < 400 ? 'AzureUnavailable' : 'AzureRefused'
}

/**
 * Of two requests to one resource at the same time, Azure refuses one, by several codes and not always by its own (azure-cli issue
 * 15765, azure-docs issue 108246); the code `Conflict` alone stands for lasting refusals as well.
 */
function isByAnotherRequest({ code, reason }: VendorError): boolean {
  return code === 'ConflictingConcurrentWriteNotAllowed' || /concurrent request|being used by another operation|another operation is in progress|please retry later/i.test(reason)
}

function failure(
  type: FailureType,
  context: ErrorContext,
  why: string,
  error: unknown,
  vendor?: VendorError,
): BackupError {
  const advice = ADVICE_BY_CODE[vendor?.code ?? ''] ?? ADVICE[type]
  return new BackupError({
    type,
    message: `could not ${context.doing} ${context.on}: ${why}${advice === undefined ? '' : `; ${advice}`}`,
    facts: { ...context.facts, ...(vendor === undefined ? {} : factsOf(vendor)) },
    retryAfterMs: vendor?.retryAfterMs,
    cause: textualCause(error),
  })
}

function factsOf({ status, code, requestId, copySourceStatus, copySourceCode }: VendorError): Facts {
  const facts = { status, code, requestId, copySourceStatus, copySourceCode }
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined))
}

function reasonOf({ code, reason, status }: VendorError): string {
  const what = code ?? (status === undefined ? 'no answer' : `status ${status}`)
  return reason === '' || reason.startsWith(what) ? reason || what : `${what}: ${reason}`
}

/** The usual cause is a token of another tenant, which the answer then names. */
function refusedToken(vendor: VendorError): string {
  const { wantedTenant } = vendor
  if (wantedTenant === undefined) return reasonOf(vendor)
  return `${reasonOf(vendor)}; it takes tokens of tenant ${wantedTenant} only: az login --tenant ${wantedTenant}, or AZURE_TENANT_ID`
}

/** A right on the resource itself, or on another one that the call refers to. */
const DENIALS = [
  /does not have permission to perform action(?:\(s\))? '([^']+)' on the linked scope(?:\(s\))? '([^']+)'/,
  /does not have authorization to perform action '([^']+)'(?: over scope '([^']+)')?/,
]
const RIGHT_MISSING = ['AuthorizationFailed', 'LinkedAuthorizationFailed', 'AuthorizationPermissionMismatch']

function missingRight(vendor: VendorError, context: ErrorContext): string {
  const { code, reason } = vendor
  if (code === 'AuthorizationFailure') {
    return 'the storage account does not let this network in; allow it in the firewall of the account'
  }
  const [, named, scope] = DENIALS.map((pattern) => pattern.exec(reason)).find((match) => match !== null) ?? []
  const action = named ?? (code === undefined || RIGHT_MISSING.includes(code) ? context.action : undefined)
  // Other refusals are by policy, by a disabled account or subscription, …: a role would not help.
  if (action === undefined) return reasonOf(vendor)
  const where = scope === undefined ? '' : ` on ${scope}`
  return `the identity lacks the right ${action}${where}; grant it a role that has it`
}

const CREDENTIAL_ERRORS = [
  'CredentialUnavailableError',
  'AuthenticationError',
  'AggregateAuthenticationError',
  'AuthenticationRequiredError',
]

export function isCredentialError(error: unknown): error is Error {
  return error instanceof Error && CREDENTIAL_ERRORS.includes(error.name)
}

function firstLineOf(error: Error): string {
  return (error.message.trim().split(/[\r\n]/)[0] ?? '').replace(/\.$/, '')
}

/** Vendor errors carry their request, and so SAS URLs and tokens: only their text goes on. */
function textualCause(error: unknown): Error {
  const cause = new Error(redact(error instanceof Error ? error.message : String(error)))
  cause.name = error instanceof Error ? error.name : 'Error'
  if (error instanceof Error && error.stack !== undefined) cause.stack = redact(error.stack)
  return cause
}
