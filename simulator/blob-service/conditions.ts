import type { BlobRequest } from './blob-request.ts'
import type { BlobState } from './model/blob.ts'
import { StorageError } from './storage-error.ts'

/**
 * Conditional headers: ETag and time for every operation, the sequence number for page writes.
 *
 * Times have seconds only, so a change within the same second is not seen by If-Modified-Since; that is as in HTTP.
 */

interface Conditions {
  readonly ifMatch: string | undefined
  readonly ifNoneMatch: string | undefined
  readonly ifModifiedSince: string | undefined
  readonly ifUnmodifiedSince: string | undefined
}

type Judged = Pick<BlobState, 'etag' | 'lastModified'>

const SOURCE_PREFIX = 'x-ms-source-'

/**
 * @throws StorageError ConditionNotMet: 304 for what If-None-Match or If-Modified-Since stops, else 412;
 *   UnsatisfiableCondition (400) for If-None-Match: *, which no read can meet.
 */
export function checkReadConditions(request: BlobRequest, state: Judged): void {
  if (request.header('if-none-match')?.trim() === '*') throw new StorageError('UnsatisfiableCondition')
  const unmet = firstUnmet(readConditions(request, ''), state)
  if (unmet === undefined) return
  const isFreshness = unmet === 'ifNoneMatch' || unmet === 'ifModifiedSince'
  throw new StorageError('ConditionNotMet', isFreshness ? { status: 304, headers: { ETag: state.etag } } : {})
}

/** @throws StorageError ConditionNotMet (412) */
export function checkWriteConditions(request: BlobRequest, state: Judged): void {
  if (firstUnmet(readConditions(request, ''), state) !== undefined) throw new StorageError('ConditionNotMet')
}

/**
 * For operations that make a blob; `state` undefined: there is none yet.
 *
 * @throws StorageError ConditionNotMet (412); BlobAlreadyExists (409) where "create only if absent" was asked for.
 */
export function checkCreateConditions(request: BlobRequest, state: Judged | undefined): void {
  const conditions = readConditions(request, '')
  const unmet = firstUnmet(conditions, state)
  if (unmet === undefined) return
  throw new StorageError(
    unmet === 'ifNoneMatch' && conditions.ifNoneMatch === '*' ? 'BlobAlreadyExists' : 'ConditionNotMet',
  )
}

/** @throws StorageError SourceConditionNotMet */
export function checkSourceConditions(request: BlobRequest, state: Judged): void {
  if (firstUnmet(readConditions(request, SOURCE_PREFIX), state) !== undefined) {
    throw new StorageError('SourceConditionNotMet')
  }
}

export function hasConditions(request: BlobRequest, kind: 'target' | 'source'): boolean {
  const conditions = readConditions(request, kind === 'source' ? SOURCE_PREFIX : '')
  return Object.values(conditions).some((value) => value !== undefined)
}

/** x-ms-if-sequence-number-le, -lt and -eq. @throws StorageError SequenceNumberConditionNotMet */
export function checkSequenceNumber(request: BlobRequest, sequenceNumber: number): void {
  const atMost = request.numberHeader('x-ms-if-sequence-number-le')
  const lessThan = request.numberHeader('x-ms-if-sequence-number-lt')
  const equalTo = request.numberHeader('x-ms-if-sequence-number-eq')
  const isMet =
    (atMost === undefined || sequenceNumber <= atMost) &&
    (lessThan === undefined || sequenceNumber < lessThan) &&
    (equalTo === undefined || sequenceNumber === equalTo)
  if (!isMet) throw new StorageError('SequenceNumberConditionNotMet')
}

function readConditions(request: BlobRequest, prefix: string): Conditions {
  return {
    ifMatch: request.header(`${prefix}if-match`),
    ifNoneMatch: request.header(`${prefix}if-none-match`),
    ifModifiedSince: request.header(`${prefix}if-modified-since`),
    ifUnmodifiedSince: request.header(`${prefix}if-unmodified-since`),
  }
}

function firstUnmet(conditions: Conditions, state: Judged | undefined): keyof Conditions | undefined {
  const { ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince } = conditions
  if (ifMatch !== undefined && !matches(ifMatch, state)) return 'ifMatch'
  if (ifNoneMatch !== undefined && matches(ifNoneMatch, state)) return 'ifNoneMatch'
  if (state === undefined) return undefined
  const modifiedAtSeconds = Math.floor(state.lastModified.getTime() / 1000)
  if (ifModifiedSince !== undefined && modifiedAtSeconds <= secondsOf(ifModifiedSince)) return 'ifModifiedSince'
  if (ifUnmodifiedSince !== undefined && modifiedAtSeconds > secondsOf(ifUnmodifiedSince)) return 'ifUnmodifiedSince'
  return undefined
}

function matches(condition: string, state: Judged | undefined): boolean {
  if (state === undefined) return false
  if (condition.trim() === '*') return true
  return condition.split(',').some((each) => each.trim().replace(/^"|"$/g, '') === state.etag.slice(1, -1))
}

function secondsOf(httpDate: string): number {
  const timeMs = Date.parse(httpDate)
  if (Number.isNaN(timeMs)) throw new StorageError('InvalidHeaderValue', { reason: 'a date of a condition' })
  return Math.floor(timeMs / 1000)
}
