import { randomUUID } from 'node:crypto'
import { changeNotAllowed, invalidParameter } from './arm-error.ts'
import type { ComputeState } from './compute-state.ts'
import { isBackgroundCopied, type DiskSnapshot } from './disk-model.ts'
import { requireRegion, type Region } from './regions.ts'
import { accessSchema, inheritedSchema, type SnapshotBody, type SnapshotUpdate } from './request-bodies.ts'
import type { ResourceId } from './resource-id.ts'
import { requireOrigin, type SnapshotOrigin } from './snapshot-origin.ts'

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
  const origin = requireOrigin(state, id, body, region)
  const sku = snapshotSku(body, region, origin)
  const instantAccessMs = (requireInstantAccess(body, origin) ?? 0) * 60_000
  const timeCreated = state.nextInstant()

  const snapshot: DiskSnapshot = {
    kind: 'snapshot',
    id,
    uniqueId: randomUUID(),
    location: region.name,
    timeCreated,
    completeAt: new Date(timeCreated.getTime() + origin.backgroundCopyMs),
    instantAccessUntil: instantAccessMs === 0 ? undefined : new Date(timeCreated.getTime() + instantAccessMs),
    copiedFrom: origin.copiedFrom,
    copyFailure: undefined,
    creationData: { ...creationData, sourceUniqueId: origin.sourceUniqueId },
    sectorSizeBytes: origin.sectorSizeBytes,
    content: origin.content,
    isIncremental,
    familyId: origin.familyId,
    provisioningState: 'Creating',
    sku,
    tags: body.tags,
    inherited: { ...origin.inherited, ...inheritedSchema.parse(body.properties) },
    access: accessSchema.parse(body.properties),
    grant: undefined,
  }
  state.snapshots.put(snapshot)
  if (origin.disk !== undefined) state.snapshotLog.record(origin.disk.uniqueId, timeCreated)
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
    creationData.sourceUri === snapshot.creationData.sourceUri &&
    creationData.sourceResourceId?.toLowerCase() === snapshot.creationData.sourceResourceId?.toLowerCase()
  if (!isSameOrigin) throw changeNotAllowed('creationData')
  if (incremental !== snapshot.isIncremental) throw changeNotAllowed('incremental')
  if (requireRegion(body.location).name !== snapshot.location) throw changeNotAllowed('location')
  updateSnapshot(snapshot, { tags: body.tags, sku: body.sku, properties })
}

/** In minutes. @throws ArmError 400 unless the source is an Ultra or Premium SSD v2 disk. */
function requireInstantAccess(body: SnapshotBody, origin: SnapshotOrigin): number | undefined {
  const { instantAccessDurationMinutes } = body.properties.creationData
  if (instantAccessDurationMinutes === undefined) return undefined
  if (origin.disk !== undefined && isBackgroundCopied(origin.disk.sku)) return instantAccessDurationMinutes
  throw invalidParameter(
    'creationData.instantAccessDurationMinutes',
    'Only incremental snapshots of Ultra and Premium SSD v2 disks have instant access.',
  )
}

/** Incremental: standard storage, as the snapshot before, else zone-redundant where the region can. */
function snapshotSku(body: SnapshotBody, region: Region, origin: SnapshotOrigin): string {
  const requested = body.sku?.name
  const isIncremental = origin.familyId !== undefined
  const standard = ['Standard_LRS', 'Standard_ZRS']
  const allowed = isIncremental ? standard : [...standard, 'Premium_LRS']
  if (requested !== undefined && !allowed.includes(requested)) {
    throw invalidParameter('sku.name', `Allowed here: ${allowed.join(', ')}.`)
  }
  if (requested === 'Standard_ZRS' && !region.hasZones) {
    throw invalidParameter('sku.name', `Region '${region.name}' has no zone-redundant snapshots.`)
  }
  if (requested !== undefined) return requested
  if (!isIncremental) return 'Standard_LRS'
  return origin.previous?.sku ?? (region.hasZones ? 'Standard_ZRS' : 'Standard_LRS')
}
