import { ArmError, invalidParameter, resourceNotFound } from '../compute/arm-error.ts'
import { findExportable, type ComputeState } from '../compute/compute-state.ts'
import { allExportables } from '../compute/exportables.ts'
import { removeDisk, removeSnapshot } from '../compute/remove-resource.ts'
import { createDisk } from '../compute/create-disk.ts'
import { withdrawAccess } from '../compute/disk-access.ts'
import { GIB, liveGrant, MIB, type ExportableResource, type ManagedDisk } from '../compute/disk-model.ts'
import { parseBody, diskBodySchema } from '../compute/request-bodies.ts'
import { formatResourceId, parseResourceId } from '../compute/resource-id.ts'
import type { RoleAssignment } from '../compute/roles.ts'
import type { ComputeSettings, ComputeSettingsChange } from '../compute/settings.ts'
import { snapshotUsage, type SnapshotUsage } from '../compute/usage.ts'
import { updateDisk } from '../compute/update-disk.ts'
import type { ReadableVolume } from '../store/volume.ts'
import { digestContent, type ContentDigest, type ContentRange } from './content-digest.ts'
import { requirePageRange, requireReadRange } from './range-checks.ts'

/**
 * What a test or an operator of the local Azure does beside the Azure APIs: lay out the scene, write as a virtual
 * machine would, look at the truth, break things behind the product's back.
 *
 * No roles are checked and no request is counted here. Disks and snapshots are named by ARM id, in any case.
 */

export interface DiskSpec {
  readonly name: string
  /** Whole gibibytes. */
  readonly sizeGib: number
  /** What it has beyond them, in mebibytes, as the OS disk of a marketplace image has. */
  readonly extraMib?: number | undefined
  /** Default: the local Azure's own subscription. Made when it is new. */
  readonly subscriptionId?: string | undefined
  /** Default `local`. Made when it is new, in the region of the disk. */
  readonly resourceGroup?: string | undefined
  /** Default `westeurope`. */
  readonly location?: string | undefined
  /** Default `Premium_LRS`. */
  readonly sku?: string | undefined
  readonly zones?: readonly string[] | undefined
  /** Default: what the SKU has. */
  readonly logicalSectorSize?: 512 | 4096 | undefined
  readonly tags?: Readonly<Record<string, string>> | undefined
  /** Further properties of the REST body, e.g. `osType`, `supportedCapabilities`. */
  readonly properties?: Readonly<Record<string, unknown>> | undefined
}

export interface ResourceGroupSpec {
  readonly name: string
  readonly subscriptionId?: string | undefined
  readonly location?: string | undefined
}

export interface CreatedDisk {
  readonly id: string
  readonly uniqueId: string
}

/** A SAS that is out now. The URL is given whole: it is a secret of a simulator. */
export interface GrantedAccess {
  readonly id: string
  readonly kind: ExportableResource['kind']
  readonly access: 'Read' | 'Write'
  readonly sasUrl: string
  readonly expiresAt: string
}

export interface DiskControl {
  createResourceGroup(spec: ResourceGroupSpec): void
  /** An empty disk, ready for use. @throws ArmError as the REST operation does, 409 when there is one of this name. */
  createDisk(spec: DiskSpec): CreatedDisk
  /** Writes as a virtual machine would; offset and length in whole pages of 512 bytes. */
  writeDisk(id: string, offsetBytes: number, data: Buffer): Promise<void>
  /** Discards as a virtual machine would (TRIM): the pages become holes. */
  clearDisk(id: string, offsetBytes: number, lengthBytes: number): void
  /** The bytes of a disk or snapshot, at most 64 MiB at once. */
  readDisk(id: string, offsetBytes: number, lengthBytes: number): Promise<Buffer>
  /** The digest of a disk or snapshot; see `content-digest.ts` for what it is of. Default range: all. */
  digestDisk(id: string, range?: ContentRange): Promise<ContentDigest>
  growDisk(id: string, sizeGib: number): void
  /** Removes it whatever its state; its SAS ends. @throws ArmError 404 when it is not there. */
  deleteDisk(id: string): void
  deleteSnapshot(id: string): void
  /** Every SAS of a disk or snapshot that is out and has not run out. */
  grantedAccess(): GrantedAccess[]
  /** Ends a SAS as an administrator would, without an operation; an open upload stays open. */
  withdrawAccess(id: string): void
  /** Replaces what a principal may do; makes the principal when it is new. Its name is its IDENTITY_HEADER. */
  assignRoles(principal: string, assignments: readonly RoleAssignment[]): void
  /** What snapshots are billed for. */
  usage(): SnapshotUsage[]
  settings(): ComputeSettings
  /** @throws ZodError for a setting that does not exist or a value out of range. */
  changeSettings(change: ComputeSettingsChange): ComputeSettings
}

export interface DiskControlOptions {
  readonly state: ComputeState
  readonly subscriptionId: string
  readonly changeSettings: (change: ComputeSettingsChange) => ComputeSettings
  readonly assignRoles: (principal: string, assignments: readonly RoleAssignment[]) => void
}

const DEFAULT_GROUP = 'local'
const DEFAULT_LOCATION = 'westeurope'

export function createDiskControl(options: DiskControlOptions): DiskControl {
  const { state } = options

  const requireResource = (id: string): ExportableResource => {
    const parsed = parseResourceId(id)
    if (parsed === undefined) throw invalidParameter('id', 'It must be the ARM id of a disk or snapshot.')
    const resource = findExportable(state, parsed)
    if (resource === undefined) throw resourceNotFound(parsed.type, parsed.name, parsed.resourceGroup)
    return resource
  }
  const requireDisk = (id: string): ManagedDisk => {
    const resource = requireResource(id)
    if (resource.kind !== 'disk') throw invalidParameter('id', 'It must be the ARM id of a disk.')
    return resource
  }
  const contentOf = (id: string): ReadableVolume => {
    const resource = requireResource(id)
    return resource.kind === 'disk' ? resource.volume : resource.content
  }
  const createResourceGroup = (spec: ResourceGroupSpec): void => {
    const subscriptionId = spec.subscriptionId ?? options.subscriptionId
    state.groups.addSubscription(subscriptionId)
    state.groups.put({ subscriptionId, resourceGroup: spec.name }, spec.location ?? DEFAULT_LOCATION)
  }
  const remove = (id: string): void => {
    const resource = requireResource(id)
    switch (resource.kind) {
      case 'disk':
        return removeDisk(state, resource)
      case 'snapshot':
        return removeSnapshot(state, resource)
      case 'diskRestorePoint':
        throw invalidParameter('id', 'The disks of a restore point go with it.')
    }
  }

  return {
    createResourceGroup,
    createDisk(spec) {
      const subscriptionId = spec.subscriptionId ?? options.subscriptionId
      const resourceGroup = spec.resourceGroup ?? DEFAULT_GROUP
      const location = spec.location ?? DEFAULT_LOCATION
      const id = { subscriptionId, resourceGroup, type: 'disks' as const, name: spec.name }
      if (state.groups.find(id) === undefined) createResourceGroup({ name: resourceGroup, subscriptionId, location })
      if (state.disks.get(id) !== undefined) throw new ArmError(409, 'Conflict', `Disk '${spec.name}' exists already.`)
      const creationData = { createOption: 'Empty', logicalSectorSize: spec.logicalSectorSize }
      const body = parseBody(diskBodySchema, {
        location,
        sku: { name: spec.sku ?? 'Premium_LRS' },
        zones: spec.zones,
        tags: spec.tags,
        properties: { ...spec.properties, creationData, diskSizeGB: spec.sizeGib },
      })
      const disk = createDisk(state, id, body)
      if (spec.extraMib !== undefined) disk.volume.resize(disk.volume.sizeBytes + spec.extraMib * MIB)
      disk.provisioningState = 'Succeeded'
      state.disks.changed(disk)
      return { id: formatResourceId(disk.id), uniqueId: disk.uniqueId }
    },
    async writeDisk(id, offsetBytes, data) {
      const { volume } = requireDisk(id)
      requirePageRange(volume, offsetBytes, data.length)
      await volume.write(offsetBytes, data)
    },
    clearDisk(id, offsetBytes, lengthBytes) {
      const { volume } = requireDisk(id)
      requirePageRange(volume, offsetBytes, lengthBytes)
      volume.clear(offsetBytes, lengthBytes)
    },
    async readDisk(id, offsetBytes, lengthBytes) {
      const content = contentOf(id)
      requireReadRange(content, offsetBytes, lengthBytes)
      return content.read(offsetBytes, lengthBytes)
    },
    digestDisk: async (id, range) => digestContent(contentOf(id), range),
    growDisk(id, sizeGib) {
      const disk = requireDisk(id)
      if (sizeGib * GIB < disk.volume.sizeBytes) throw invalidParameter('sizeGib', 'Disks never shrink.')
      updateDisk(state, disk, { properties: { diskSizeGB: sizeGib } })
      state.disks.changed(disk)
    },
    deleteDisk: remove,
    deleteSnapshot: remove,
    grantedAccess: () => allExportables(state).flatMap((resource) => granted(state, resource)),
    withdrawAccess: (id) => withdrawAccess(state, requireResource(id)),
    assignRoles: options.assignRoles,
    usage: () => snapshotUsage(state),
    settings: () => state.settings(),
    changeSettings: options.changeSettings,
  }
}

function granted(state: ComputeState, resource: ExportableResource): GrantedAccess[] {
  const grant = liveGrant(resource, state.clock())
  if (grant === undefined) return []
  const { sasUrl, expiresAt } = grant.publication
  const id = formatResourceId(resource.id)
  return [{ id, kind: resource.kind, access: grant.access, sasUrl, expiresAt: expiresAt.toISOString() }]
}
