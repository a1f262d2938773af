import { randomUUID } from 'node:crypto'
import type { FaultPlan } from '../faults/fault-plan.ts'
import type { Journal } from '../state/journal.ts'
import { PROVIDER } from './arm-routes.ts'
import { param, type ArmCall, type ArmReply } from './arm-call.ts'
import { ArmError, errorBody } from './arm-error.ts'
import { azureTime } from './azure-time.ts'
import { requireRegion } from './regions.ts'
import type { ComputeSettings } from './settings.ts'

/**
 * Long-running operations of the disk provider: a 202 with `Azure-AsyncOperation` and `Location`, polled at either.
 *
 * The effect of an operation takes place when it is accepted; `operationMs` only delays the report of it. So an
 * operation goes on when its client dies, as on Azure. Operations are kept for as long as the process lives, or in a
 * journal; one whose end had not been reported when the process ended is reported as failed by the next one, although
 * its effect is there. The same goes for an operation that a fault makes fail.
 * Shapes: github.com/Azure/azure-powershell/issues/11464 (headers) and /5956 (bodies).
 */

type Outcome =
  | { readonly kind: 'succeeded'; readonly output: Readonly<Record<string, unknown>> | undefined }
  | { readonly kind: 'failed'; readonly error: ArmError }

interface AsyncOperation {
  readonly id: string
  readonly subscriptionId: string
  readonly location: string
  readonly kind: OperationKind
  readonly startTime: Date
  endTime?: Date
  outcome?: Outcome
}

/** Where an operation is polled: of disks, of the rest of Microsoft.Compute, of the resource manager itself. */
export type OperationKind = 'DiskOperations' | 'operations' | 'operationresults'

export interface AsyncWork {
  /** Default `DiskOperations`. */
  readonly kind?: OperationKind
  readonly subscriptionId: string
  readonly location: string
  /** Done at once. An ArmError fails the operation; any other error too, as InternalServerError. */
  perform?(): Promise<void> | void
  /** When the end is reported: last changes, and what the operation results in. Not called after a failure. */
  finish?(): Readonly<Record<string, unknown>> | undefined
}

export interface AsyncOperations {
  /** Starts the work and answers 202; `body` is what PUT and PATCH show of their resource as it is then. */
  accept(call: ArmCall, work: AsyncWork, body?: unknown): Promise<ArmReply>
  /** The answer to a poll at either address. @throws ArmError 404 NotFound for an unknown operation. */
  poll(call: ArmCall): ArmReply
}

export interface AsyncOperationsOptions {
  readonly settings: () => ComputeSettings
  readonly clock: () => Date
  /** Scheme, host and port of the resource manager. */
  readonly baseUrl: () => string
  readonly journal: Journal
  readonly faults: FaultPlan
}

/** Dates are text. A failure is kept by what a client sees of it. */
interface KeptOperation {
  readonly id: string
  readonly subscriptionId: string
  readonly location: string
  readonly kind: OperationKind
  readonly startTime: string
  readonly endTime?: string
  readonly outcome?:
    | { readonly kind: 'succeeded'; readonly output?: Readonly<Record<string, unknown>> }
    | { readonly kind: 'failed'; readonly status: number; readonly code: string; readonly message: string }
}

export function createAsyncOperations(options: AsyncOperationsOptions): AsyncOperations {
  const operations = new Map<string, AsyncOperation>()
  const write = options.journal.join<KeptOperation>({
    name: 'operations',
    apply: (kept) => void operations.set(kept.id, restoredOperation(kept)),
    *entries() {
      for (const operation of operations.values()) yield keptOperation(operation)
    },
  })

  const run = async (call: ArmCall, operation: AsyncOperation, work: AsyncWork): Promise<void> => {
    const [fault] = options.faults.draw({ operation: call.operation, resource: call.path }, ['failOperation'])
    const delayed = waitUnreferenced(options.settings().operationMs)
    let outcome: Outcome
    try {
      await work.perform?.()
      await delayed
      const output = work.finish?.()
      if (fault !== undefined) throw new ArmError(500, fault.effect.code, fault.effect.message)
      outcome = { kind: 'succeeded', output }
    } catch (error) {
      await delayed
      outcome = { kind: 'failed', error: asArmError(error) }
    }
    operation.endTime = options.clock()
    operation.outcome = outcome
    write(keptOperation(operation))
  }

  const urls = (call: ArmCall, operation: AsyncOperation): { monitor: string; status: string } => {
    const subscription = `${options.baseUrl()}/subscriptions/${operation.subscriptionId}`
    const place = operation.kind === 'operationresults' ? '' : `/${PROVIDER}/locations/${operation.location}`
    const path = `${subscription}${place}/${operation.kind}/${operation.id}`
    return {
      monitor: `${path}?monitor=true&api-version=${call.apiVersion}`,
      status: `${path}?api-version=${call.apiVersion}`,
    }
  }

  return {
    async accept(call, work, body) {
      const { name: location } = requireRegion(work.location)
      const operation: AsyncOperation = {
        id: randomUUID(),
        subscriptionId: work.subscriptionId,
        location,
        kind: work.kind ?? 'DiskOperations',
        startTime: options.clock(),
      }
      operations.set(operation.id, operation)
      write(keptOperation(operation))
      const running = run(call, operation, work)
      // It fails only when the journal cannot be written, which the next change will be told.
      running.catch(() => {})
      // Without a delay the end is there before the first poll, which spares SDKs their waiting time.
      if (options.settings().operationMs === 0) await running
      const { monitor, status } = urls(call, operation)
      const headers = { Location: monitor, 'Retry-After': String(options.settings().retryAfterSeconds) }
      if (operation.kind === 'operationresults') return { status: 202, headers }
      return { status: 202, headers: { ...headers, 'Azure-AsyncOperation': status }, body }
    },

    poll(call) {
      const operation = operations.get(param(call, 'operationId').toLowerCase())
      if (operation === undefined) {
        throw new ArmError(404, 'NotFound', `The operation '${param(call, 'operationId')}' was not found.`)
      }
      const retryAfter = { 'Retry-After': String(options.settings().retryAfterSeconds) }
      const isStatus = operation.kind !== 'operationresults' && call.query.get('monitor') !== 'true'
      if (isStatus) {
        return { status: 200, headers: operation.outcome === undefined ? retryAfter : {}, body: statusBody(operation) }
      }
      if (operation.outcome === undefined) {
        return { status: 202, headers: { ...retryAfter, Location: urls(call, operation).monitor } }
      }
      if (operation.outcome.kind === 'failed') throw operation.outcome.error
      return { status: 200, body: operation.outcome.output }
    },
  }
}

function statusBody(operation: AsyncOperation): Record<string, unknown> {
  const head = { startTime: azureTime(operation.startTime), name: operation.id }
  const { outcome, endTime } = operation
  if (outcome === undefined || endTime === undefined) return { ...head, status: 'InProgress' }
  const ended = { ...head, endTime: azureTime(endTime) }
  switch (outcome.kind) {
    case 'succeeded':
      return outcome.output === undefined
        ? { ...ended, status: 'Succeeded' }
        : { ...ended, status: 'Succeeded', properties: { output: outcome.output } }
    case 'failed':
      return { ...ended, status: 'Failed', ...errorBody(outcome.error) }
  }
}

function asArmError(error: unknown): ArmError {
  if (error instanceof ArmError) return error
  return new ArmError(500, 'InternalServerError', error instanceof Error ? error.message : String(error))
}

function keptOperation(operation: AsyncOperation): KeptOperation {
  const { startTime, endTime, outcome, ...rest } = operation
  return {
    ...rest,
    startTime: startTime.toISOString(),
    ...(endTime === undefined ? {} : { endTime: endTime.toISOString() }),
    ...(outcome === undefined ? {} : { outcome: keptOutcome(outcome) }),
  }
}

function keptOutcome(outcome: Outcome): NonNullable<KeptOperation['outcome']> {
  if (outcome.kind === 'succeeded') {
    return outcome.output === undefined ? { kind: 'succeeded' } : { kind: 'succeeded', output: outcome.output }
  }
  const { status, code, message } = outcome.error
  return { kind: 'failed', status, code, message }
}

function restoredOperation(kept: KeptOperation): AsyncOperation {
  const { outcome } = kept
  const startTime = new Date(kept.startTime)
  const error =
    outcome === undefined
      ? new ArmError(409, 'OperationPreempted', 'The local Azure was restarted before the end was reported.')
      : outcome.kind === 'failed'
        ? new ArmError(outcome.status, outcome.code, outcome.message)
        : undefined
  return {
    ...kept,
    startTime,
    endTime: kept.endTime === undefined ? startTime : new Date(kept.endTime),
    outcome:
      error === undefined && outcome?.kind === 'succeeded'
        ? { kind: 'succeeded', output: outcome.output }
        : { kind: 'failed', error: asArmError(error) },
  }
}

/** Does not keep the process alive. */
async function waitUnreferenced(delayMs: number): Promise<void> {
  if (delayMs > 0) await new Promise<void>((resolve) => setTimeout(resolve, delayMs).unref())
}
