import { randomUUID } from 'node:crypto'
import { changeNotAllowed, invalidParameter, notSupportedHere } from './arm-error.ts'
import type { ComputeState } from './compute-state.ts'
import { requireCopySource, type CopySource } from './copy-source.ts'
import { isBackgroundCopied, type DiskSnapshot, type ManagedDisk } from './disk-model.ts'
import { familyIdOf } from './snapshot-family.ts'
import { requireRegion, type Region } from './regions.ts'
import { accessSchema, inheritedSchema, type SnapshotBody, type SnapshotUpdate } from './request-bodies.ts'
import type { ResourceId } from './resource-id.ts'
import { checkSnapshotLimits, incrementalSnapshotsOf } from './snapshot-limits.ts'

/** Making and changing snapshots. The point in time is that of the first PUT; a repeated PUT never takes another. */

/**
 * A new snapshot in the state `Creating`, put into the table. The caller has made sure that there is none of this id.
 * @throws ArmError 400 for a body that breaks a rule, 404 or 409 for a source that is gone or not ready, 409 beyond a
 * limit.
 */
export function createSnapshot(state: ComputeState, id: ResourceId, body: SnapshotBody): DiskSnapshot {
  if (!/^[A-Za-z0-9_-]{1,80}$/.test(id.name)) throw invalidParameter('snapshot.name')
  const region = requireRegion(body.location)
  const { creationData, incremental: isIncremental } = body.properties
  if (creationData.createOption !== 'Copy') {
    throw notSupportedHere(`createOption '${creationData.createOption}' of a snapshot`)
  }
  const source = requireCopySource(state, creationData.sourceResourceId, body.location)
  const disk = isIncremental ? requireIncrementalSource(state, id, source) : undefined
  const sku = snapshotSku(state, body, region, disk)
  const timeCreated = state.nextInstant()
  const { resource } = source
  const copyMs = disk !== undefined && isBackgroundCopied(disk.sku) ? state.settings().backgroundCopyMs : 0

  const snapshot: DiskSnapshot = {
    kind: 'snapshot',
    id,
    uniqueId: randomUUID(),
    location: region.name,
    timeCreated,
    completeAt: new Date(timeCreated.getTime() + copyMs),
    creationData: { ...creationData, sourceUniqueId: resource.uniqueId },
    sectorSizeBytes: resource.sectorSizeBytes,
    content: source.freeze(),
    isIncremental,
    familyId: disk === undefined ? undefined : familyIdOf(disk),
    provisioningState: 'Creating',
    sku,
    tags: body.tags,
    inherited: { ...resource.inherited, ...inheritedSchema.parse(body.properties) },
    access: accessSchema.parse(body.properties),
    grant: undefined,
  }
  state.snapshots.put(snapshot)
  if (disk !== undefined) state.snapshotLog.record(disk.uniqueId, timeCreated)
  return snapshot
}

/** Applies what the update names and leaves the rest. Never touches the content. */
export function updateSnapshot(snapshot: DiskSnapshot, update: SnapshotUpdate): void {
  if (update.sku !== undefined && update.sku.name !== snapshot.sku) throw changeNotAllowed('sku')
  if (update.tags !== undefined) snapshot.tags = update.tags
  snapshot.inherited = { ...snapshot.inherited, ...inheritedSchema.parse(update.properties) }
  snapshot.access = { ...snapshot.access, ...accessSchema.parse(update.properties) }
}

/**
 * A PUT on an existing snapshot changes what PATCH can change.
 * @throws ArmError 409 PropertyChangeNotAllowed for anything else that differs.
 */
export function replaceSnapshot(snapshot: DiskSnapshot, body: SnapshotBody): void {
  const { creationData, incremental, ...properties } = body.properties
  const isSameOrigin =
    creationData.createOption === snapshot.creationData.createOption &&
    creationData.sourceResourceId?.toLowerCase() === snapshot.creationData.sourceResourceId?.toLowerCase()
  if (!isSameOrigin) throw changeNotAllowed('creationData')
  if (incremental !== snapshot.isIncremental) throw changeNotAllowed('incremental')
  if (requireRegion(body.location).name !== snapshot.location) throw changeNotAllowed('location')
  updateSnapshot(snapshot, { tags: body.tags, sku: body.sku, properties })
}

function requireIncrementalSource(state: ComputeState, id: ResourceId, source: CopySource): ManagedDisk {
  const { resource } = source
  if (resource.kind === 'snapshot') throw notSupportedHere('An incremental copy of a snapshot (CopyStart)')
  if (resource.id.subscriptionId.toLowerCase() !== id.subscriptionId.toLowerCase()) {
    throw invalidParameter(
      'creationData.sourceResourceId',
      'An incremental snapshot must be in the subscription of its disk.',
    )
  }
  checkSnapshotLimits(state, resource)
  return resource
}

/** Incremental: standard storage, as the snapshot before, else zone-redundant where the region can. */
function snapshotSku(
  state: ComputeState,
  body: SnapshotBody,
  region: Region,
  disk: ManagedDisk | undefined,
): string {
  const requested = body.sku?.name
  const standard = ['Standard_LRS', 'Standard_ZRS']
  const allowed = disk === undefined ? [...standard, 'Premium_LRS'] : standard
  if (requested !== undefined && !allowed.includes(requested)) {
    throw invalidParameter('sku.name', `Allowed here: ${allowed.join(', ')}.`)
  }
  if (requested === 'Standard_ZRS' && !region.hasZones) {
    throw invalidParameter('sku.name', `Region '${region.name}' has no zone-redundant snapshots.`)
  }
  if (requested !== undefined) return requested
  if (disk === undefined) return 'Standard_LRS'
  const newest = incrementalSnapshotsOf(state, disk).reduce<DiskSnapshot | undefined>(
    (latest, snapshot) => (latest === undefined || snapshot.timeCreated > latest.timeCreated ? snapshot : latest),
    undefined,
  )
  return newest?.sku ?? (region.hasZones ? 'Standard_ZRS' : 'Standard_LRS')
}
