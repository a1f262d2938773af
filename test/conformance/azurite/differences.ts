/**
 * Where Azurite 3.35.0 and the local Azure answer differently, and the fact that decides. What is not listed here fails the
 * comparison.
 */
import { mayBeTwoFaults } from './faults.ts'
import type { Call, Outcome } from './twins.ts'

export interface Difference {
  readonly name: string
  /** What Azure does, and where that is said. */
  readonly fact: string
  readonly covers: (call: Call, local: Outcome, azurite: Outcome) => boolean
}

const UPDATES = ['Put Page', 'Clear Pages']

function cutsPage(range: string | undefined): boolean {
  return range !== undefined && Number(/\d+/.exec(range)?.[0]) % 512 !== 0
}

export const KNOWN_DIFFERENCES: readonly Difference[] = [
  {
    name: 'differences of page ranges',
    fact: 'get-page-ranges: prevsnapshot lists what changed since it. Azurite lists all ranges (its issues 812, 298).',
    covers: (call) => call.query?.includes('prevsnapshot=') === true,
  },
  {
    name: 'Put Page From URL',
    fact: 'put-page-from-url: since version 2018-11-09. Azurite answers 501 (its README).',
    covers: (call, _, azurite) => call.operation === 'Put Page From URL' && azurite.status === 501,
  },
  {
    name: 'code of a range beyond the end',
    fact: 'blob-service-error-codes: InvalidPageRange, InvalidRange. Azurite gives the reason phrase of 416 as the code.',
    covers: (_, local, azurite) => local.status === 416 && azurite.code === 'Requested Range Not Satisfiable',
  },
  {
    name: 'page ranges of an empty blob',
    fact: 'get-page-ranges: without a range all are listed, here none. Azurite refuses the empty range.',
    covers: (call, local, azurite) =>
      call.operation === 'Get Page Ranges' && local.headers?.['x-ms-blob-content-length'] === '0' && azurite.status === 416,
  },
  {
    name: 'page ranges in a window that is not whole pages',
    fact: 'page blobs consist of pages of 512 bytes; that a window may cut one is not documented. Azurite tells a part of a page.',
    covers: (call, local, azurite) =>
      call.operation === 'Get Page Ranges' && cutsPage(call.headers?.['x-ms-range']) && local.status === 200 && azurite.status === 200,
  },
  {
    name: 'writes across the end',
    fact: 'put-page: a range beyond the blob is refused. Azurite writes it (its issue 333).',
    covers: (call, local, azurite) =>
      UPDATES.includes(call.operation) && local.code === 'InvalidPageRange' && azurite.status === 201,
  },
  {
    name: 'MD5 of a written page',
    fact: 'put-page: it is compared with the body and told in the answer. Azurite ignores it.',
    covers: (call, local, azurite) =>
      call.headers?.['content-md5'] !== undefined && azurite.status === 201 &&
      (local.code === 'Md5Mismatch' || local.headers?.['content-md5'] !== undefined),
  },
  {
    name: 'MD5 of a page blob',
    fact: 'put-page: no MD5 is stored with a page blob. Azurite tells that of the content.',
    covers: (call, local, azurite) =>
      call.operation === 'Get Blob' && local.status === 200 && local.body === azurite.body && azurite.headers?.['content-md5'] !== undefined,
  },
  {
    name: 'Get Blob Metadata by GET',
    fact: 'get-blob-metadata: the answer has no body. Azurite sends the blob.',
    covers: (call, local, azurite) =>
      call.operation === 'Get Blob Metadata' && local.body === '' && azurite.headers?.['content-md5'] !== undefined,
  },
  {
    name: 'code of a bad header',
    fact: 'common-rest-api-error-codes: MissingRequiredHeader, InvalidHeaderValue. Azurite calls these InvalidOperation.',
    covers: (_, local, azurite) =>
      ['MissingRequiredHeader', 'InvalidHeaderValue'].includes(local.code ?? '') && azurite.code === 'InvalidOperation',
  },
  {
    name: 'If-None-Match: * on a write',
    fact: 'specifying-conditional-headers: the operation fails if the resource exists. Azurite goes on, or calls it unsatisfiable.',
    covers: (call, local, azurite) =>
      call.headers?.['if-none-match'] === '*' && local.code === 'ConditionNotMet' &&
      (azurite.status < 300 || azurite.code === 'UnsatisfiableCondition'),
  },
  {
    name: 'If-Match: * where there is no blob',
    fact: 'RFC 9110, 13.1.1: the condition is false then. Azurite makes the blob.',
    covers: (call, local, azurite) => call.headers?.['if-match'] === '*' && local.code === 'ConditionNotMet' && azurite.status === 201,
  },
  {
    name: 'a lease id where there is no lease',
    fact: 'lease-blob, outcomes of use: a write with a lease id to a blob without a lease is 412. Azurite allows it when it overwrites.',
    covers: (call, local, azurite) =>
      ['Put Blob', 'Copy Blob'].includes(call.operation) && local.code === 'LeaseNotPresentWithBlobOperation' && azurite.status < 300,
  },
  {
    name: 'a lease that was broken',
    fact: 'blob-service-error-codes: LeaseLost for an id whose lease has ended. Azurite knows it no more.',
    covers: (_, local, azurite) => local.code === 'LeaseLost' && azurite.code === 'LeaseNotPresentWithBlobOperation',
  },
  {
    name: 'the lease of a snapshot',
    fact: 'lease-blob: a snapshot has no lease. Azurite tells its state, and which code a lease id gets is not documented.',
    covers: (call, local, azurite) =>
      call.query?.includes('snapshot=') === true &&
      (azurite.code === 'LeaseNotPresentWithBlobOperation' ||
        (azurite.headers?.['x-ms-lease-state'] !== undefined && local.status === azurite.status && local.body === azurite.body)),
  },
  {
    name: 'the ETag of a snapshot',
    fact: 'snapshot-blob: with metadata of its own a snapshot has an ETag of its own. In Azurite it keeps that of its base.',
    covers: (call, local, azurite) =>
      call.query?.includes('snapshot=') === true && Object.values(call.headers ?? {}).includes('{etag}') &&
      [local, azurite].every(({ status }) => [200, 206, 304, 412].includes(status)),
  },
  {
    name: 'Copy Blob onto a finite lease',
    fact: 'copy-blob: a destination with a lease must have an infinite one. Azurite copies.',
    covers: (_, local, azurite) => local.code === 'InfiniteLeaseDurationRequired' && azurite.status === 202,
  },
  {
    name: 'If-None-Match on Snapshot Blob',
    fact: 'specifying-conditional-headers: 304 is for GET and HEAD, any other operation is 412. Azurite answers 304.',
    covers: (call, local, azurite) => call.operation === 'Snapshot Blob' && local.status === 412 && azurite.status === 304,
  },
  {
    name: 'Abort Copy Blob with an id that is not that of a pending copy',
    fact: 'abort-copy-blob: either is a conflict. Azurite compares the id first, and then looks whether a copy is pending.',
    covers: (call, local, azurite) =>
      call.operation === 'Abort Copy Blob' && [409, 412].includes(local.status) && azurite.code === 'CopyIdMismatch',
  },
  {
    name: 'which of two faults is told',
    fact: 'not documented: a request with two faults is refused for either.',
    covers: mayBeTwoFaults,
  },
]

export function knownDifference(call: Call, local: Outcome, azurite: Outcome): Difference | undefined {
  return KNOWN_DIFFERENCES.find(({ covers }) => covers(call, local, azurite))
}
