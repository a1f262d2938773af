import { expireAccess } from '../blob-service/expire-access.ts'
import type { BlobServiceState } from '../blob-service/operation.ts'
import type { Fate, OperationCall, ServiceHooks } from '../blob-service/service-hooks.ts'
import { isStorageErrorCode, StorageError, type StorageErrorCode } from '../blob-service/storage-error.ts'
import { ConnectionDropped } from './connection-dropped.ts'
import type { Fault, FaultPlan } from './fault-plan.ts'

/** The fault plan around the operations of the blob service. */

const KINDS = [
  'status',
  'reset',
  'cutBody',
  'delay',
  'expireAccess',
  'lateWrite',
  'flipByte',
  'refuseToken',
] as const
type BlobFault = Fault<(typeof KINDS)[number]>

export function createBlobFaults(plan: FaultPlan, service: BlobServiceState): ServiceHooks {
  return {
    async before(call) {
      const { operation, account, container, blob } = call
      const resource = `/${[account, container, blob].filter((name) => name !== '').join('/')}`
      let fate: Fate = {}
      for (const fault of plan.draw({ operation, resource }, KINDS)) {
        fate = { ...fate, ...(await strike(service, call, fault)) }
      }
      return fate
    },
  }
}

/** Does at once what must be done before the operation, and tells what is left to do. */
async function strike(service: BlobServiceState, call: OperationCall, { effect, fired }: BlobFault): Promise<Fate> {
  switch (effect.kind) {
    case 'status': {
      const { status, code, message, retryAfterSeconds } = effect
      const known = code !== undefined && isStorageErrorCode(code) ? code : codeOfStatus(status)
      throw new StorageError(known, {
        status,
        ...(code === undefined ? {} : { code }),
        ...(message === undefined ? {} : { message }),
        ...(retryAfterSeconds === undefined ? {} : { headers: { 'Retry-After': String(retryAfterSeconds) } }),
      })
    }
    case 'refuseToken':
      throw new StorageError('InvalidAuthenticationInfo')
    case 'reset':
      if (effect.when === 'before') throw new ConnectionDropped()
      return { dropAfter: true }
    case 'delay':
      if (effect.when === 'after') return { waitAfterMs: effect.delayMs }
      await new Promise((resolve) => setTimeout(resolve, effect.delayMs))
      return {}
    case 'expireAccess':
      expireAccess(service, call.request, effect.whose)
      return {}
    case 'cutBody':
      return { cutBodyAfterBytes: effect.afterBytes }
    case 'flipByte':
      return { flipByteAt: effect.atBytes }
    case 'lateWrite': {
      const { delayMs, original } = effect
      return {
        late: {
          delayMs,
          original,
          report: ({ status, errorCode }) => (fired.outcome = [status, errorCode].filter(Boolean).join(' ')),
        },
      }
    }
  }
}

function codeOfStatus(status: number): StorageErrorCode {
  const codes: Readonly<Record<number, StorageErrorCode>> = {
    403: 'AuthenticationFailed',
    404: 'BlobNotFound',
    409: 'BlobOperationNotSupported',
    412: 'ConditionNotMet',
    503: 'ServerBusy',
  }
  return codes[status] ?? (status >= 500 ? 'InternalError' : 'InvalidInput')
}
