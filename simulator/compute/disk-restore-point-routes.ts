import type { ArmCall, ArmReply } from './arm-call.ts'
import type { ArmRoute } from './arm-routes.ts'
import type { AsyncWork } from './async-operations.ts'
import type { ComputeState } from './compute-state.ts'
import { beginAccess, endAccess } from './disk-access.ts'
import type { DiskRestorePoint } from './disk-model.ts'
import { grantAccessSchema, parseBody } from './request-bodies.ts'
import { idOf, requireResource } from './resource-calls.ts'
import { DISK_RESTORE_POINT_TYPE, RESTORE_POINT_TYPE } from './resource-id.ts'
import { diskRestorePointDocument } from './restore-point-documents.ts'
import { RESTORE_POINT_PATH } from './restore-point-routes.ts'
import { diskRestorePointsOf } from './restore-points.ts'

/** The disks of a restore point: read, and exported like snapshots. They come and go with the restore point. */

const ACTION = `Microsoft.Compute/${DISK_RESTORE_POINT_TYPE}`
const COLLECTION = `${RESTORE_POINT_PATH}/diskRestorePoints`
const PATH = `${COLLECTION}/:name`

export function diskRestorePointRoutes(state: ComputeState): ArmRoute[] {
  const pointOf = (call: ArmCall): DiskRestorePoint => {
    const id = idOf(call, DISK_RESTORE_POINT_TYPE, ['collection', 'restorePoint', 'name'])
    return requireResource(state.diskRestorePoints, id)
  }
  const accept = (
    call: ArmCall,
    point: DiskRestorePoint,
    work: Pick<AsyncWork, 'perform' | 'finish'>,
  ): Promise<ArmReply> => {
    const { id, location } = point
    return state.operations.accept(call, { subscriptionId: id.subscriptionId, location, ...work })
  }

  const list = (call: ArmCall): ArmReply => {
    const id = idOf(call, RESTORE_POINT_TYPE, ['collection', 'restorePoint'])
    const points = diskRestorePointsOf(state, requireResource(state.restorePoints, id))
    return { status: 200, body: { value: points.map((point) => diskRestorePointDocument(state, point)) } }
  }
  const grantAccess = (call: ArmCall): Promise<ArmReply> => {
    const point = pointOf(call)
    const { publication } = beginAccess(state, point, parseBody(grantAccessSchema, call.body))
    return accept(call, point, { finish: () => ({ accessSAS: publication.sasUrl }) })
  }
  const revokeAccess = (call: ArmCall): Promise<ArmReply> => {
    const point = pointOf(call)
    return accept(call, point, { perform: () => endAccess(state, point) })
  }

  const route = (verb: string, rest: Omit<ArmRoute, 'operation'>): ArmRoute => ({
    operation: `DiskRestorePoint_${verb}`,
    ...rest,
  })
  return [
    route('Get', {
      method: 'GET',
      path: PATH,
      action: `${ACTION}/read`,
      handle: (call) => ({ status: 200, body: diskRestorePointDocument(state, pointOf(call)) }),
    }),
    route('ListByRestorePoint', { method: 'GET', path: COLLECTION, action: `${ACTION}/read`, handle: list }),
    route('GrantAccess', {
      method: 'POST',
      path: `${PATH}/beginGetAccess`,
      action: `${ACTION}/beginGetAccess/action`,
      handle: grantAccess,
    }),
    route('RevokeAccess', {
      method: 'POST',
      path: `${PATH}/endGetAccess`,
      action: `${ACTION}/endGetAccess/action`,
      handle: revokeAccess,
    }),
  ]
}
