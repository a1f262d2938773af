/**
 * The catalogue of failures: every error that a user or an operator can meet has one of these types.
 *
 * A type says whether trying again can help and how the command line ends. The message of each error says what
 * failed, on what, why and what to do; no message or fact may hold a SAS, a URL's query or a token.
 */

/** `never`: the same call will fail again. `later`: the run goes on by itself when the cause is gone. */
export type Retry = 'never' | 'later'

/** Exit codes of the command line; documented in docs/operations.md. */
export const EXIT_CODES = {
  ok: 0,
  unexpected: 1,
  usage: 2,
  failed: 3,
  notFound: 4,
  unreachable: 5,
  denied: 6,
  refused: 7,
  interrupted: 130,
} as const

export type ExitName = keyof typeof EXIT_CODES

interface FailureKind {
  readonly retry: Retry
  readonly exit: ExitName
  /** One line for docs/operations.md. */
  readonly meaning: string
}

export const FAILURES = {
  InvalidResourceId: { retry: 'never', exit: 'usage', meaning: 'a text is not the resource id it should be' },
  InvalidTarget: { retry: 'never', exit: 'usage', meaning: 'a target is not the URL of a container' },
  InvalidConfig: { retry: 'never', exit: 'usage', meaning: 'snapferry.yaml or a setting is broken; the message names line and key' },
  InvalidArgument: { retry: 'never', exit: 'usage', meaning: 'an argument of a command makes no sense' },

  SourceDiskNotFound: { retry: 'never', exit: 'notFound', meaning: 'the disk, its resource group or its subscription is not there' },
  VmNotFound: { retry: 'never', exit: 'notFound', meaning: 'the virtual machine is not there, or has no disk of that name' },
  VmNotReady: { retry: 'never', exit: 'refused', meaning: 'a disk of a virtual machine cannot be swapped as things are' },
  SourceSnapshotNotFound: { retry: 'never', exit: 'failed', meaning: 'a source snapshot of the run was deleted while the run needed it' },
  SnapshotFailed: { retry: 'never', exit: 'failed', meaning: 'Azure could not complete a snapshot' },
  SnapshotCopyBusy: { retry: 'later', exit: 'failed', meaning: "Azure copies another snapshot of the disk, or all it will to that region; the run's turn comes later" },
  SectorSizeNotSupported: { retry: 'never', exit: 'refused', meaning: 'the disk has 4096-byte sectors; its snapshots are VHDX' },
  SecurityTypeNotSupported: { retry: 'never', exit: 'refused', meaning: 'a confidential disk whose bytes nobody can read without its guest state, which is in no export' },
  DiskTooLarge: { retry: 'never', exit: 'refused', meaning: 'the disk has more than 32,767 GiB, which no upload brings back' },
  DiskShrank: { retry: 'never', exit: 'refused', meaning: 'the disk is smaller than its base blob, which Azure does not allow' },
  DiskExists: { retry: 'never', exit: 'refused', meaning: 'a restore would overwrite a disk or a snapshot' },
  RegionMismatch: { retry: 'never', exit: 'usage', meaning: 'a region, zone or SKU is not offered where it is asked for' },

  TargetNotFound: { retry: 'never', exit: 'notFound', meaning: 'the storage account or container is not there' },
  TargetNotSupported: { retry: 'never', exit: 'refused', meaning: 'the account is premium, has a hierarchical namespace or is no general-purpose v2 account' },
  BaseBlobForeign: { retry: 'never', exit: 'refused', meaning: 'a blob that snapferry did not make stands where the base blob belongs' },
  BaseBlobNotClean: { retry: 'never', exit: 'refused', meaning: 'a base blob that is being brought forward equals no state of the disk and is not restored' },
  FormatNotSupported: { retry: 'never', exit: 'refused', meaning: 'a newer release of snapferry wrote this' },
  PointNotFound: { retry: 'never', exit: 'notFound', meaning: 'no such recovery point' },
  PointDamaged: { retry: 'never', exit: 'failed', meaning: 'the manifest or the blob snapshot of a recovery point is missing, broken or not to be read' },

  PointSuspect: { retry: 'never', exit: 'failed', meaning: 'the bytes of a recovery point differ from its digests; the next backup mends what later points share' },
  DigestsMissing: { retry: 'never', exit: 'refused', meaning: 'a recovery point has no digests to compare with' },

  FileExists: { retry: 'never', exit: 'refused', meaning: 'an export would overwrite a file, or go on with the file of another one' },
  LocalDiskFull: { retry: 'never', exit: 'failed', meaning: 'the file system of an export is full; the same command goes on from there' },
  LocalFileFailed: { retry: 'never', exit: 'failed', meaning: 'the file of an export cannot be made or written' },

  AccessDenied: { retry: 'never', exit: 'denied', meaning: 'a right is missing; the message names the action' },
  NotSignedIn: { retry: 'never', exit: 'denied', meaning: 'no credential was found or it was not accepted' },
  PointExists: { retry: 'never', exit: 'refused', meaning: 'the request was carried out before: its recovery point is there and stays as it is' },
  RunAlreadyOpen: { retry: 'never', exit: 'refused', meaning: 'another run is open on the same disk and target' },
  FencedOut: { retry: 'never', exit: 'failed', meaning: 'another run raised the epoch of the base blob; this one must not write any more' },
  VerificationFailed: { retry: 'never', exit: 'failed', meaning: 'a copy does not equal what it was made from: no point was made, or no disk handed over' },

  DrillFailed: { retry: 'never', exit: 'failed', meaning: 'a drill could not restore its point, or what it restored is not right, or its result could not be kept' },
  DrillOverdue: { retry: 'never', exit: 'failed', meaning: 'no drill of the policy has succeeded for longer than its `alertAfter`, or what its drills found cannot be read' },
  AlertFailed: { retry: 'later', exit: 'failed', meaning: 'the alert command of a worker ended with another code than 0; what it should have told is not changed by that' },
  CommandRefused: { retry: 'never', exit: 'refused', meaning: 'a policy asks for a program to be run, and the worker does not allow that' },

  DiffRefused: { retry: 'never', exit: 'failed', meaning: 'Azure will not answer the difference between two snapshots' },
  ServerSideCopyRefused: { retry: 'never', exit: 'failed', meaning: 'the source may not be copied by the storage service; bytes must be streamed' },
  SnapshotAccessBusy: { retry: 'later', exit: 'failed', meaning: 'a SAS on a snapshot is not to be had at the moment' },
  ExportAccessLost: { retry: 'later', exit: 'failed', meaning: 'a SAS died in mid-run; a new one is taken' },
  AzureThrottled: { retry: 'later', exit: 'failed', meaning: 'Azure asks to slow down' },
  AzureUnavailable: { retry: 'later', exit: 'unreachable', meaning: 'no answer, or an answer that says nothing of the outcome' },
  AzureRefused: { retry: 'never', exit: 'failed', meaning: 'Azure refused a call for another reason, quoted in the message' },

  TemporalUnreachable: { retry: 'later', exit: 'unreachable', meaning: 'the Temporal service does not answer' },
  RunNotFound: { retry: 'never', exit: 'notFound', meaning: 'no such run or policy' },
  RunFailed: { retry: 'never', exit: 'failed', meaning: 'a run ended without success for a reason that has no type of its own' },
} as const satisfies Record<string, FailureKind>

export type FailureType = keyof typeof FAILURES

export type Facts = Readonly<Record<string, string | number | boolean | undefined>>

export interface BackupErrorInit {
  readonly type: FailureType
  readonly message: string
  readonly facts?: Facts
  /** How long Azure asked to wait (Retry-After). */
  readonly retryAfterMs?: number | undefined
  readonly cause?: unknown
}

/** The one error that crosses module borders. */
export class BackupError extends Error {
  override readonly name = 'BackupError'
  readonly type: FailureType
  readonly facts: Facts
  readonly retryAfterMs: number | undefined

  constructor(init: BackupErrorInit) {
    super(redact(init.message), init.cause === undefined ? undefined : { cause: init.cause })
    this.type = init.type
    this.facts = redactFacts(init.facts ?? {})
    this.retryAfterMs = init.retryAfterMs
  }

  get retry(): Retry {
    return FAILURES[this.type].retry
  }
}

export function isFailure(error: unknown, ...types: readonly FailureType[]): error is BackupError {
  return error instanceof BackupError && (types.length === 0 || types.includes(error.type))
}

export function isFailureType(type: string | null | undefined): type is FailureType {
  return type !== null && type !== undefined && Object.hasOwn(FAILURES, type)
}

/**
 * Removes the query of every URL and the signature of every SAS, also where it is percent-encoded or escaped as JSON: the
 * last guard against a SAS in a message.
 */
export function redact(text: string): string {
  return text
    .replace(/(https?:\/\/[^\s?"'<>\\]*)\?(?:[^\s"'<>\\]|\\u0026)*/gi, '$1?…')
    .replace(/(?:\b|(?<=26|3f))sig(?:=|%(?:25)*3d)[^\s&"'<>\\]*/gi, '…')
}

function redactFacts(facts: Facts): Facts {
  return Object.fromEntries(Object.entries(facts).map(([name, value]) => [name, typeof value === 'string' ? redact(value) : value]))
}
