import { ArmError, invalidParameter, notAllowed } from './arm-error.ts'
import type { ComputeState } from './compute-state.ts'
import { requireComplete } from './copy-source.ts'
import { keep } from './exportables.ts'
import {
  liveGrant,
  type AccessGrant,
  type DiskRestorePoint,
  type DiskSnapshot,
  type ExportableResource,
} from './disk-model.ts'
import { publishResource } from './publish-resource.ts'
import type { GrantAccessBody } from './request-bodies.ts'
import { hasVhdCookie, VHD_FOOTER_BYTES } from './vhd-footer.ts'

/**
 * The rules of SAS access to disks and snapshots: who gets one when, for how long, and what ends it.
 */

/**
 * beginGetAccess. What a second call does while a SAS is out is a setting.
 * @throws ArmError 400 for a body that does not fit the resource, 409 when its state or the family forbids access.
 */
export function beginAccess(state: ComputeState, resource: ExportableResource, body: GrantAccessBody): AccessGrant {
  checkDuration(state, body)
  checkFileFormat(resource, body)
  checkState(state, resource, body)
  const present = liveGrant(resource, state.clock())
  if (present !== undefined) {
    switch (state.settings().secondGrant) {
      case 'same':
        return present
      case 'refuse':
        throw notAllowed(`'${resource.id.name}' already has an active shared access signature.`)
      case 'new':
        present.publication.withdraw()
        resource.grant = undefined
    }
  }
  if (resource.kind !== 'disk') checkFamilyLimit(state, resource)

  const grant = publishResource(state, resource, body.durationInSeconds)
  resource.grant = grant
  if (resource.kind === 'disk' && resource.upload === 'pending') resource.upload = 'open'
  keep(state, resource)
  return grant
}

/**
 * endGetAccess: withdraws the SAS; without one it does nothing. Ends an upload when the VHD is whole.
 * @throws ArmError 400 BadRequest when an uploaded disk has no VHD footer; it stays open for another upload.
 */
export async function endAccess(state: ComputeState, resource: ExportableResource): Promise<void> {
  withdrawAccess(state, resource)
  if (resource.kind !== 'disk' || resource.upload !== 'open') return
  const { volume } = resource
  const contentBytes = volume.sizeBytes - VHD_FOOTER_BYTES
  if (!hasVhdCookie(await volume.read(contentBytes, VHD_FOOTER_BYTES))) {
    throw new ArmError(400, 'BadRequest', "Disk is expected to have cookie value 'conectix'.")
  }
  volume.resize(contentBytes)
  resource.upload = undefined
  keep(state, resource)
}

/** Takes the SAS away, live or run out. Twice is fine. */
export function withdrawAccess(state: ComputeState, resource: ExportableResource): void {
  if (resource.grant === undefined) return
  resource.grant.publication.withdraw()
  resource.grant = undefined
  keep(state, resource)
}

/** @throws ArmError 409 in Azure's words when a SAS is out that deleting would cut off. */
export function refuseWhileGranted(state: ComputeState, resource: ExportableResource): void {
  if (liveGrant(resource, state.clock()) === undefined) return
  throw notAllowed(
    `There is an active shared access signature outstanding for ${resource.kind} ${resource.id.name}. ` +
      `Call EndGetAccess before attaching or deleting the ${resource.kind}. Learn more here: aka.ms/revokeaccessapi.`,
  )
}

function checkDuration(state: ComputeState, body: GrantAccessBody): void {
  const { maxAccessSeconds } = state.settings()
  if (body.durationInSeconds >= 1 && body.durationInSeconds <= maxAccessSeconds) return
  throw invalidParameter('durationInSeconds', `It must be between 1 and ${maxAccessSeconds}.`)
}

function checkFileFormat(resource: ExportableResource, body: GrantAccessBody): void {
  if (resource.sectorSizeBytes === 512) {
    if (body.fileFormat === 'VHDX') throw invalidParameter('fileFormat', 'Sectors of 512 bytes are exported as VHD.')
    return
  }
  switch (body.fileFormat) {
    case undefined:
      throw new ArmError(
        400,
        'BadRequest',
        'Accessing disk or snapshot with a logical sector size of 4096 requires specifying the file format.',
      )
    case 'VHD':
      throw invalidParameter('fileFormat', 'Sectors of 4096 bytes are exported as VHDX.')
    case 'VHDX':
      return
  }
}

function checkState(state: ComputeState, resource: ExportableResource, body: GrantAccessBody): void {
  const isUpload = resource.kind === 'disk' && resource.upload !== undefined
  if (body.access !== (isUpload ? 'Write' : 'Read')) {
    throw invalidParameter('access', `'${body.access}' is not possible in the state of '${resource.id.name}'.`)
  }
  if (resource.access.networkAccessPolicy === 'DenyAll') {
    throw notAllowed(`Access to '${resource.id.name}' is denied by its network access policy 'DenyAll'.`)
  }
  if (resource.kind !== 'disk') return requireComplete(state, resource)
  const vm = resource.attachedTo === undefined ? undefined : state.virtualMachines.get(resource.attachedTo)
  if (vm?.isRunning === true) {
    throw notAllowed(`Disk '${resource.id.name}' is attached to running VM '${vm.id.name}' and cannot be exported.`)
  }
}

/** At most five snapshots of one incremental family (virtual-machines-disks-incremental-snapshots-restrictions.md). */
function checkFamilyLimit(state: ComputeState, point: DiskSnapshot | DiskRestorePoint): void {
  if (point.familyId === undefined) return
  const now = state.clock()
  const granted = [...state.snapshots.all(), ...state.diskRestorePoints.all()].filter(
    (other) => other !== point && other.familyId === point.familyId && liveGrant(other, now) !== undefined,
  )
  const limit = state.settings().sasPerFamily
  if (granted.length < limit) return
  throw new ArmError(
    409,
    'ActiveSasLimitExceeded',
    `At most ${limit} snapshots of an incremental snapshot family can have an active shared access signature. ` +
      `Call EndGetAccess on one of: ${granted.map((other) => other.id.name).join(', ')}.`,
  )
}
