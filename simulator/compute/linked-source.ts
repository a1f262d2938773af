import type { ArmCall } from './arm-call.ts'
import type { ComputeState } from './compute-state.ts'
import type { CreationData } from './request-bodies.ts'
import { formatResourceId, parseResourceId, type ResourceId } from './resource-id.ts'
import { requireLinkedAction } from './roles.ts'

/**
 * Copying reads the source, so the caller needs `beginGetAccess` on it too: the built-in roles of Azure Backup,
 * Disk Backup Reader on the disk and Disk Snapshot Contributor on the snapshot, carry it for that.
 * @throws ArmError 403 LinkedAuthorizationFailed
 */
export function requireLinkedSource(
  state: ComputeState,
  call: ArmCall,
  target: ResourceId,
  creationData: CreationData,
): void {
  const source = parseResourceId(creationData.sourceResourceId ?? '')
  if (source === undefined) return
  requireLinkedAction(
    state.roles,
    call.caller,
    { action: `Microsoft.Compute/${target.type}/write`, scope: formatResourceId(target) },
    { action: `Microsoft.Compute/${source.type}/beginGetAccess/action`, scope: formatResourceId(source) },
  )
}
