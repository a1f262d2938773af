/**
 * Translates what Temporal's client throws into failures of the catalogue. Nobody else looks at gRPC codes.
 *
 * The failure of a workflow is not translated here: it is an answer, not an error of the service
 * (`client/run-failure.ts`).
 */
import {
  isGrpcServiceError,
  NamespaceNotFoundError,
  ScheduleNotFoundError,
  WorkflowNotFoundError,
} from '@temporalio/client'
import { BackupError } from '../domain/failures.ts'
import { ALL_SEARCH_ATTRIBUTES } from '../workflows/search-attributes.ts'

/** The codes of gRPC that are told apart (grpc.github.io/grpc/core/md_doc_statuscodes.html). */
const GRPC = {
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  PERMISSION_DENIED: 7,
  UNIMPLEMENTED: 12,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
} as const

export interface Endpoint {
  readonly address: string
  readonly namespace: string
}

/** @returns undefined where the error is not Temporal's; BackupErrors are returned as they are. */
export function translateTemporalError(error: unknown, { address, namespace }: Endpoint): BackupError | undefined {
  if (error instanceof BackupError) return error
  if (error instanceof NamespaceNotFoundError) {
    return new BackupError({
      type: 'InvalidConfig',
      message: `Temporal at ${address} has no namespace ${namespace}; create it or set TEMPORAL_NAMESPACE`,
      facts: { address, namespace },
      cause: error,
    })
  }
  if (error instanceof WorkflowNotFoundError) {
    return new BackupError({
      type: 'RunNotFound',
      message: `namespace ${namespace} has no run ${error.workflowId}`,
      cause: error,
    })
  }
  if (error instanceof ScheduleNotFoundError) {
    return new BackupError({
      type: 'RunNotFound',
      message: `namespace ${namespace} has no schedule ${error.scheduleId}`,
      cause: error,
    })
  }
  const status = grpcStatusOf(error)
  if (status === undefined) return undefined
  switch (status.code) {
    case GRPC.UNAVAILABLE:
    case GRPC.DEADLINE_EXCEEDED:
      return unreachable(address, error)
    case GRPC.UNAUTHENTICATED:
      return credentialsRefused(address, error)
    case GRPC.PERMISSION_DENIED:
      return new BackupError({
        type: 'AccessDenied',
        message: `Temporal at ${address} denies access to namespace ${namespace}: ${status.details}`,
        facts: { address, namespace },
        cause: error,
      })
    case GRPC.INVALID_ARGUMENT:
      if (!/search attribute/i.test(status.details)) return undefined
      return new BackupError({
        type: 'InvalidConfig',
        message:
          `namespace ${namespace} lacks a search attribute: ${status.details}; start a worker once, or, where the service does not ` +
          `let it register any (Temporal Cloud), register all of ${ALL_SEARCH_ATTRIBUTES.map(({ name }) => name).join(', ')} by its own means, each of type Keyword`,
        facts: { namespace },
        cause: error,
      })
    default:
      return undefined
  }
}

/**
 * Of the native client's connection, whose errors tell the answer of the server in words alone.
 *
 * @returns what to throw.
 */
export function translateConnectError(error: unknown, { address }: Endpoint): BackupError {
  const reason = error instanceof Error ? error.message : String(error)
  if (/unauthenticated|authentication credentials/i.test(reason)) return credentialsRefused(address, error)
  if (/permission ?denied|does not have permission/i.test(reason)) {
    return new BackupError({ type: 'AccessDenied', message: `Temporal at ${address} denies access: ${reason}`, facts: { address }, cause: error })
  }
  return unreachable(address, error, reason)
}

function credentialsRefused(address: string, cause: unknown): BackupError {
  return new BackupError({
    type: 'NotSignedIn',
    message: `Temporal at ${address} refuses the credentials; see TEMPORAL_API_KEY and TEMPORAL_TLS_CLIENT_*`,
    facts: { address },
    cause,
  })
}

/** @returns what to throw for a server that cannot be reached; retrying can help. */
export function unreachable(address: string, cause: unknown, reason?: string): BackupError {
  return new BackupError({
    type: 'TemporalUnreachable',
    message: `Temporal does not answer at ${address}; is it running, and is TEMPORAL_ADDRESS right?${reason === undefined ? '' : ` (${reason})`}`,
    facts: { address },
    cause,
  })
}

/** True where the server, such as Temporal Cloud, does not offer a call to us. */
export function isNotOffered(error: unknown): boolean {
  const code = grpcStatusOf(error)?.code
  return code === GRPC.UNIMPLEMENTED || code === GRPC.PERMISSION_DENIED || code === GRPC.UNAUTHENTICATED
}

/** The client wraps gRPC errors in a ServiceError; raw services throw them bare. */
function grpcStatusOf(error: unknown): { code: number; details: string } | undefined {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if (isGrpcServiceError(at)) return { code: at.code, details: at.details }
  }
  return undefined
}
