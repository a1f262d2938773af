/** Translates snapshots between the compute API's words and ours. Fields that an answer leaves out stay out. */
import type { Snapshot } from '@azure/arm-compute'
import { GIB } from '../domain/byte-range.ts'
import type { SourceSnapshot } from '../domain/source-disk.ts'
import { withoutUndefined } from './plain.ts'
import type { Tags } from '../domain/tags.ts'

export interface SnapshotStatus extends SourceSnapshot {
  readonly location: string
  /** Its content can be exported now. */
  readonly isReadable: boolean
  readonly completionPercent: number | undefined
  readonly provisioningState: string | undefined
  /** `snapshotAccessState`: Pending, Available, InstantAccess, AvailableWithInstantAccess. */
  readonly accessState: string | undefined
  /** `diskState`; ActiveSAS while a SAS is out. */
  readonly diskState: string | undefined
  /** Why it will never be readable. */
  readonly failure?: string
  readonly tags: Tags
}

export interface ListedSnapshot extends SnapshotStatus {
  readonly sourceResourceId?: string
  readonly incremental: boolean
}

/** While a snapshot is being made, `uniqueId` and `takenAt` can be empty; once it is readable they are not. */
export function snapshotStatusOf(id: string, snapshot: Snapshot): SnapshotStatus {
  const failure = failureOf(snapshot)
  const takenAt = instantOf(snapshot)
  return withoutUndefined<SnapshotStatus>({
    id: snapshot.id ?? id,
    location: snapshot.location ?? '',
    uniqueId: snapshot.uniqueId ?? '',
    familyId: snapshot.incrementalSnapshotFamilyId,
    sourceUniqueId: snapshot.creationData?.sourceUniqueId,
    sizeBytes: snapshot.diskSizeBytes ?? (snapshot.diskSizeGB ?? 0) * GIB,
    takenAt,
    isReadable: failure === undefined && takenAt !== '' && Boolean(snapshot.uniqueId) && isComplete(snapshot),
    completionPercent: snapshot.completionPercent,
    provisioningState: snapshot.provisioningState,
    accessState: snapshot.snapshotAccessState,
    diskState: snapshot.diskState,
    failure,
    tags: snapshot.tags ?? {},
  })
}

export function listedSnapshotOf(snapshot: Snapshot): ListedSnapshot {
  return withoutUndefined<ListedSnapshot>({
    ...snapshotStatusOf(snapshot.id ?? '', snapshot),
    sourceResourceId: snapshot.creationData?.sourceResourceId,
    incremental: snapshot.incremental ?? false,
  })
}

/**
 * Ultra and Premium SSD v2 copy in the background: their snapshots can be read at 100 percent, and an instant-access
 * snapshot only once it is Available as well (azure docs, instant access snapshots). All others are readable at once; `Unknown` is the
 * default of the state (REST reference, SnapshotAccessState), and says nothing.
 */
function isComplete({ provisioningState, snapshotAccessState, completionPercent }: Snapshot): boolean {
  const isProvisioned = provisioningState === undefined || /^succeeded$/i.test(provisioningState)
  const isAvailable = !/^(pending|instantaccess)$/i.test(snapshotAccessState ?? '')
  return isProvisioned && isAvailable && (completionPercent ?? 100) >= 100
}

function failureOf({ copyCompletionError, provisioningState }: Snapshot): string | undefined {
  if (copyCompletionError) return `${copyCompletionError.errorCode}: ${copyCompletionError.errorMessage}`
  return /^(failed|canceled)$/i.test(provisioningState ?? '')
    ? `its provisioning state is ${provisioningState}`
    : undefined
}

function instantOf({ timeCreated, systemData }: Snapshot): string {
  const instant = timeCreated ?? systemData?.createdAt
  return instant === undefined || Number.isNaN(instant.getTime()) ? '' : instant.toISOString()
}
