import type { Caller } from './auth/caller.ts'
import type { BlobRequest, ResourceLevel } from './blob-request.ts'
import type { BlobLedger } from './kept/blob-ledger.ts'
import type { BlobLimits } from './limits.ts'
import type { Account } from './model/account.ts'
import type { PendingCopies } from './pending-copies.ts'
import type { Publications } from './publications.ts'
import type { Reply } from './reply.ts'
import type { ServiceClock } from './service-clock.ts'
import type { VolumeStore } from '../store/volume-store.ts'

/** The shape of one REST operation: how a request is recognised as it, which right it needs, and what it does. */
export interface Operation {
  /** As storage logs name it; counts and hooks use it. */
  readonly name: string
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE'
  readonly levels: readonly ResourceLevel[]
  readonly restype?: string
  readonly comp?: string
  /** Tells operations with equal method and query apart by their headers. The first that agrees is taken. */
  readonly when?: (request: BlobRequest) => boolean
  readonly access: OperationAccess
  readonly run: (context: OperationContext) => Promise<Reply> | Reply
}

export interface OperationAccess {
  /** Letters of `sp`, any of which is enough; empty: no SAS will do. */
  readonly sas: string
  /** RBAC action, as role definitions name it. */
  readonly action: string
  /** On published disks: whether it is for exports, uploads, both or neither. */
  readonly published?: 'read' | 'write'
}

/** What an operation works with. */
export interface OperationContext {
  readonly request: BlobRequest
  readonly account: Account
  readonly caller: Caller
  readonly service: BlobServiceState
  /** Reports bytes that moved without passing through the request, as a server-side copy does. */
  readonly countCopiedBytes: (bytes: number) => void
  /** What a write puts into pages instead of its data: the same, unless a fault damages it. */
  readonly alterWritten: (data: Buffer) => Buffer
}

/** What all operations share. */
export interface BlobServiceState {
  readonly store: VolumeStore
  readonly clock: ServiceClock
  /** Others take their place when they are changed. */
  limits: BlobLimits
  readonly accounts: ReadonlyMap<string, Account>
  readonly publications: Publications
  /** Is told of every change to containers and blobs, so that it can be kept. */
  readonly ledger: BlobLedger
  readonly pendingCopies: PendingCopies
  /** Of SAS that ended before their time. */
  readonly expiredSignatures: Set<string>
  readonly baseUrl: () => string
  /**
   * Settles who makes a request and whether that caller may do the operation.
   *
   * @throws StorageError 401 or 403.
   */
  readonly authorize: (request: BlobRequest, account: Account | undefined, access: OperationAccess) => Caller
}

const BLOBS = 'Microsoft.Storage/storageAccounts/blobServices/containers/blobs'
const CONTAINERS = 'Microsoft.Storage/storageAccounts/blobServices/containers'

/** Rights that many operations share. */
export const READ_BLOB: OperationAccess = { sas: 'r', action: `${BLOBS}/read`, published: 'read' }
export const WRITE_BLOB: OperationAccess = { sas: 'w', action: `${BLOBS}/write` }
export const CREATE_BLOB: OperationAccess = { sas: 'cw', action: `${BLOBS}/write` }
export const WRITE_PAGES: OperationAccess = { sas: 'w', action: `${BLOBS}/write`, published: 'write' }
export const DELETE_BLOB: OperationAccess = { sas: 'd', action: `${BLOBS}/delete` }
export const LIST_BLOBS: OperationAccess = { sas: 'l', action: `${BLOBS}/read` }
export const READ_CONTAINER: OperationAccess = { sas: 'r', action: `${CONTAINERS}/read` }
export const WRITE_CONTAINER: OperationAccess = { sas: 'cw', action: `${CONTAINERS}/write` }
export const DELETE_CONTAINER: OperationAccess = { sas: 'd', action: `${CONTAINERS}/delete` }
export const LIST_CONTAINERS: OperationAccess = { sas: 'l', action: `${CONTAINERS}/read` }
