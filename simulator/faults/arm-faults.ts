import type { ArmCall, ArmReply } from '../compute/arm-call.ts'
import { ArmError } from '../compute/arm-error.ts'
import { ConnectionDropped } from './connection-dropped.ts'
import type { FaultPlan } from './fault-plan.ts'

/**
 * The fault plan around an operation of the resource manager: refusals, delays, resets. Faults of long-running
 * operations and of `completionPercent` strike where those are told, not here.
 */

const KINDS = ['status', 'reset', 'delay', 'refuseToken'] as const

/**
 * Runs the operation, unless a fault takes its place.
 * @throws ArmError of a fault, ConnectionDropped, and what the operation throws.
 */
export async function withArmFaults(
  plan: FaultPlan,
  call: ArmCall,
  run: () => Promise<ArmReply> | ArmReply,
): Promise<ArmReply> {
  const faults = plan.draw({ operation: call.operation, resource: call.path }, KINDS)
  for (const { effect } of faults) {
    if (effect.kind === 'delay' && effect.when === 'before') await wait(effect.delayMs)
    if (effect.kind === 'reset' && effect.when === 'before') throw new ConnectionDropped()
    if (effect.kind === 'refuseToken') {
      throw new ArmError(401, 'InvalidAuthenticationToken', 'The access token is invalid.')
    }
    if (effect.kind === 'status') {
      const { status, code = defaultCode(status), message = 'A fault was asked for.', retryAfterSeconds } = effect
      const headers = retryAfterSeconds === undefined ? {} : { 'Retry-After': String(retryAfterSeconds) }
      throw new ArmError(status, code, message, headers)
    }
  }
  const reply = await run()
  for (const { effect } of faults) {
    if (effect.kind === 'delay' && effect.when === 'after') await wait(effect.delayMs)
    if (effect.kind === 'reset' && effect.when === 'after') throw new ConnectionDropped()
  }
  return reply
}

function defaultCode(status: number): string {
  if (status === 429) return 'TooManyRequests'
  if (status === 503) return 'ServiceUnavailable'
  return status >= 500 ? 'InternalServerError' : 'BadRequest'
}

function wait(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs))
}
