/** What can be wrong with a call, told from the codes that it was refused with. */
import type { Call, Outcome } from './twins.ts'

type Fault = 'absent' | 'condition' | 'lease' | 'number' | 'range' | 'header' | 'snapshots'

const FAULT_OF_CODE: Readonly<Record<string, Fault>> = {
  BlobNotFound: 'absent',
  CannotVerifyCopySource: 'absent',
  BlobAlreadyExists: 'condition',
  ConditionNotMet: 'condition',
  UnsatisfiableCondition: 'condition',
  LeaseAlreadyPresent: 'lease',
  LeaseIdMismatchWithBlobOperation: 'lease',
  LeaseIdMissing: 'lease',
  LeaseLost: 'lease',
  LeaseNotPresentWithBlobOperation: 'lease',
  SequenceNumberConditionNotMet: 'number',
  InvalidPageRange: 'range',
  InvalidRange: 'range',
  'Requested Range Not Satisfiable': 'range',
  InvalidHeaderValue: 'header',
  InvalidOperation: 'header',
  Md5Mismatch: 'header',
  MissingRequiredHeader: 'header',
  SnapshotsPresent: 'snapshots',
}

const HEADERS_WITH_RULES = ['content-md5', 'x-ms-blob-content-length', 'x-ms-lease-duration', 'x-ms-sequence-number-action']

/** Both refused the call, each for a fault of its own that the call can have at once with the other. */
export function mayBeTwoFaults(call: Call, one: Outcome, other: Outcome): boolean {
  const faults = [one, other].map(({ code }) => FAULT_OF_CODE[code ?? ''])
  return faults[0] !== faults[1] && faults.every((fault) => fault !== undefined && isPossible(fault, call))
}

function isPossible(fault: Fault, { headers = {}, operation }: Call): boolean {
  const names = Object.keys(headers)
  switch (fault) {
    case 'absent':
    case 'lease':
      return true
    case 'condition':
      return names.some((name) => name.startsWith('if-'))
    case 'number':
      return names.some((name) => name.startsWith('x-ms-if-sequence-number'))
    case 'range':
      return names.includes('x-ms-range')
    case 'header':
      return names.some((name) => HEADERS_WITH_RULES.includes(name))
    case 'snapshots':
      return operation === 'Delete Blob'
  }
}
