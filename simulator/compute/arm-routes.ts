import type { ArmCall, ArmReply } from './arm-call.ts'

/** The shape of the table of operations; `compute-service.ts` mounts it. */

export interface ArmRoute {
  /** Operation id of the REST specification. */
  readonly operation: string
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'PATCH' | 'POST' | 'DELETE'
  /** Path with `:parameters`; matched without regard to case. */
  readonly path: string
  /** What the caller must be allowed to do on the resource of the path; undefined: being known is enough. */
  readonly action: string | undefined
  handle(call: ArmCall): Promise<ArmReply> | ArmReply
}

export const SUBSCRIPTION_PATH = '/subscriptions/:subscriptionId'
export const GROUP_PATH = `${SUBSCRIPTION_PATH}/resourceGroups/:resourceGroup`
export const PROVIDER = 'providers/Microsoft.Compute'
