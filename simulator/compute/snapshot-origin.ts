import type { FrozenVolume } from '../store/volume.ts'
import { invalidParameter, notSupportedHere } from './arm-error.ts'
import type { ComputeState } from './compute-state.ts'
import { startCopy } from './copy-start.ts'
import { requireCopySource, type CopySource } from './copy-source.ts'
import {
  isBackgroundCopied,
  type CopiedFrom,
  type DiskSnapshot,
  type ManagedDisk,
  type SectorSizeBytes,
} from './disk-model.ts'
import { requireImportSource } from './import-source.ts'
import type { Region } from './regions.ts'
import type { InheritedProperties, SnapshotBody } from './request-bodies.ts'
import type { ResourceId } from './resource-id.ts'
import { familyIdOf, newestOf } from './snapshot-family.ts'
import { checkSnapshotLimits, incrementalSnapshotsOf } from './snapshot-limits.ts'
import { VHD_FOOTER_BYTES } from './vhd-footer.ts'

/** What a new snapshot is made of, by its `createOption`, after all rules about that source. */
export interface SnapshotOrigin {
  readonly content: FrozenVolume
  readonly sectorSizeBytes: SectorSizeBytes
  readonly inherited: InheritedProperties
  readonly sourceUniqueId: string | undefined
  /** Of an incremental snapshot. */
  readonly familyId: string | undefined
  /** The disk whose limits it counts to. */
  readonly disk: ManagedDisk | undefined
  /** Newest of the family, whose SKU is kept when the request names none. */
  readonly previous: DiskSnapshot | undefined
  readonly backgroundCopyMs: number
  readonly copiedFrom: CopiedFrom | undefined
}

/** @throws ArmError 400 for a source that does not fit, 404 for one that is gone, 409 for one not ready or a limit. */
export function requireOrigin(
  state: ComputeState,
  id: ResourceId,
  body: SnapshotBody,
  region: Region,
): SnapshotOrigin {
  const { creationData, incremental: isIncremental } = body.properties
  switch (creationData.createOption) {
    case 'Copy': {
      const source = requireCopySource(state, creationData.sourceResourceId, body.location)
      return isIncremental ? incrementalOrigin(state, id, source) : fullOrigin(source)
    }
    case 'CopyStart':
      if (!isIncremental) throw invalidParameter('incremental', 'CopyStart makes incremental snapshots only.')
      return startCopy(state, id, body, region)
    case 'Import': {
      if (isIncremental) throw invalidParameter('incremental', 'An imported snapshot is a full one.')
      const blob = requireImportSource(state, creationData, body.location)
      const volume = blob.fork()
      volume.resize(blob.sizeBytes - VHD_FOOTER_BYTES)
      const content = volume.freeze()
      return { ...WITHOUT_FAMILY, content, sectorSizeBytes: 512, inherited: {}, sourceUniqueId: undefined }
    }
    default:
      throw notSupportedHere(`createOption '${creationData.createOption}' of a snapshot`)
  }
}

const WITHOUT_FAMILY = {
  familyId: undefined,
  disk: undefined,
  previous: undefined,
  backgroundCopyMs: 0,
  copiedFrom: undefined,
}

/** The whole content: of a disk, of an incremental snapshot, of another full one. */
function fullOrigin({ resource, freeze }: CopySource): SnapshotOrigin {
  const { sectorSizeBytes, inherited, uniqueId: sourceUniqueId } = resource
  return { ...WITHOUT_FAMILY, content: freeze(), sectorSizeBytes, inherited, sourceUniqueId }
}

function incrementalOrigin(state: ComputeState, id: ResourceId, source: CopySource): SnapshotOrigin {
  const { resource } = source
  if (resource.kind !== 'disk') {
    throw invalidParameter(
      'creationData.sourceResourceId',
      'An incremental snapshot is made of a disk; with CopyStart it is made of another incremental snapshot.',
    )
  }
  if (resource.id.subscriptionId.toLowerCase() !== id.subscriptionId.toLowerCase()) {
    throw invalidParameter(
      'creationData.sourceResourceId',
      'An incremental snapshot must be in the subscription of its disk.',
    )
  }
  checkSnapshotLimits(state, resource)
  return {
    ...fullOrigin(source),
    familyId: familyIdOf(resource),
    disk: resource,
    previous: newestOf(incrementalSnapshotsOf(state, resource)),
    backgroundCopyMs: isBackgroundCopied(resource.sku) ? state.settings().backgroundCopyMs : 0,
  }
}
