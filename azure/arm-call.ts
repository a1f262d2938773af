/**
 * What every call of the compute service has in common: the client for an id, the translation of its errors, waiting
 * for operations.
 */
import type { ComputeManagementClient } from '@azure/arm-compute'
import { parseArmId, type ArmId, type ComputeResourceType } from '../domain/arm-id.ts'
import { isFailure, type FailureType } from '../domain/failures.ts'
import type { AzureClients } from './clients.ts'
import { withoutNulls } from './plain.ts'
import { translate, type ErrorContext } from './translate.ts'

export interface ArmResource extends ArmId {
  readonly client: ComputeManagementClient
}

/** Interval of polling where the service asks for none. */
export const POLL_INTERVAL_MS = 1000

export function armResource(azure: AzureClients, id: string, type: ComputeResourceType): ArmResource {
  const parsed = parseArmId(id, type)
  return { ...parsed, client: azure.compute(parsed.subscriptionId) }
}

/** `disk /subscriptions/…` or `snapshot /subscriptions/…`, for messages. */
export function named({ type, id }: Pick<ArmId, 'type' | 'id'>): string {
  return `${type === 'disks' ? 'disk' : 'snapshot'} ${id}`
}

/** Null and left out are the same in what it answers. */
export async function callArm<T>(
  context: ErrorContext,
  signal: AbortSignal | undefined,
  send: () => PromiseLike<T>,
): Promise<T> {
  signal?.throwIfAborted()
  try {
    return withoutNulls(await send())
  } catch (error) {
    throw translate(error, context)
  }
}

/**
 * What `pollUntilDone` of the SDK's pollers is needed for: awaiting a poller itself cannot be cancelled between two
 * polls.
 */
export interface Poller<T> {
  pollUntilDone(options?: { abortSignal?: AbortSignal }): Promise<T>
}

export function untilDone<T>(poller: Poller<T>, signal: AbortSignal | undefined): Promise<T> {
  return poller.pollUntilDone(abortable(signal))
}

/** The SDK's options do not take an undefined signal. */
export function abortable(signal: AbortSignal | undefined): { abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal }
}

/** Runs a read of something that may be gone. */
export async function orUndefined<T>(missing: FailureType, read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read()
  } catch (error) {
    if (isFailure(error, missing)) return undefined
    throw error
  }
}
