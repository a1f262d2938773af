/**
 * What lies in a target beside its points, from one listing: why there is no point to restore, and which points have lost
 * their manifest. Judges by names and metadata; reads no content and changes nothing.
 */
import { listBlobs } from '../azure/blob-lists.ts'
import { stagedBy, type FoundStagedBlob } from '../azure/staged-blob.ts'
import type { AzureClients } from '../azure/clients.ts'
import { DISKS_PREFIX, parseBaseBlobName, parseManifestName, TARGET_MARKER_NAME } from '../domain/names.ts'
import { ourSnapshotOf } from './blob-snapshots.ts'

export interface LostManifest {
  readonly pointId: string
  readonly baseBlobName: string
  readonly blobSnapshot: string
}

export interface TargetInspection {
  readonly targetUrl: string
  /** The marker or the layout of snapferry is there. */
  readonly isOurs: boolean
  /** Blobs of any kind, without their snapshots. */
  readonly blobCount: number
  readonly manifestCount: number
  /** Snapshots that a run took as points and whose manifest is not there: the run ended in between, or it was deleted. */
  readonly lostManifests: readonly LostManifest[]
  /** Base blobs that no point was ever sealed of, or that have lost all their snapshots. */
  readonly withoutPoints: readonly string[]
  /** What imports read: a restore has it under way, or has left it behind. */
  readonly temporaries: readonly Pick<FoundStagedBlob, 'name' | 'createdAt'>[]
}

/** @throws BackupError TargetNotFound | AccessDenied */
export async function inspectTarget(azure: AzureClients, targetUrl: string, signal?: AbortSignal): Promise<TargetInspection> {
  let blobCount = 0
  let hasMarker = false
  const manifests = new Set<string>()
  const baseBlobs = new Map<string, LostManifest[]>()
  const temporaries: Pick<FoundStagedBlob, 'name' | 'createdAt'>[] = []
  for await (const blob of listBlobs(azure, targetUrl, { prefix: '', includeSnapshots: true }, signal)) {
    const { name, snapshot } = blob
    if (snapshot === undefined) blobCount++
    hasMarker ||= name === TARGET_MARKER_NAME
    if (stagedBy(blob.metadata) !== undefined) temporaries.push({ name, createdAt: blob.createdAt })
    const manifest = parseManifestName(name)
    if (manifest !== undefined) manifests.add(keyOf(manifest.chain, manifest.pointId))
    const chain = parseBaseBlobName(name)
    if (chain === undefined) continue
    const points = baseBlobs.get(name) ?? []
    baseBlobs.set(name, points)
    const ours = snapshot === undefined ? undefined : ourSnapshotOf({ snapshot, metadata: blob.metadata })
    if (ours?.kind === 'point') points.push({ pointId: ours.runKey, baseBlobName: name, blobSnapshot: ours.snapshot })
  }
  const points = [...baseBlobs.values()].flat()
  return {
    targetUrl,
    isOurs: hasMarker || baseBlobs.size > 0 || manifests.size > 0,
    blobCount,
    manifestCount: manifests.size,
    lostManifests: points.filter(({ baseBlobName, pointId }) => !manifests.has(keyOf(parseBaseBlobName(baseBlobName), pointId))),
    withoutPoints: [...baseBlobs].filter(([, found]) => found.length === 0).map(([name]) => name),
    temporaries,
  }
}

/** For people: what a restore that was terminated may have left behind. It costs room, and harms nothing. */
export function explainTemporary({ name, createdAt }: Pick<FoundStagedBlob, 'name' | 'createdAt'>): string {
  const since = createdAt?.toISOString() ?? 'an unknown time'
  return `${name}: the temporary copy of an import, there since ${since}. If that restore was terminated, delete the blob; a backup of the disk does so after 15 days`
}

/** For people: what is wrong with the target, a sentence each; nothing where nothing is. */
export function explainTarget(found: TargetInspection): string[] {
  const { isOurs, blobCount, manifestCount, lostManifests, withoutPoints, targetUrl } = found
  if (!isOurs) {
    return [
      blobCount === 0
        ? `${targetUrl} is empty`
        : `${targetUrl} holds ${blobCount} blobs, but neither ${TARGET_MARKER_NAME} nor ${DISKS_PREFIX}: it belongs to another product`,
    ]
  }
  const remarks = [
    ...lostManifests.map(
      ({ pointId, baseBlobName, blobSnapshot }) =>
        `point ${pointId} has no manifest, so it was not sealed or its manifest was deleted (snapshot ${blobSnapshot} of ${baseBlobName})`,
    ),
    ...withoutPoints.map((name) => `base blob ${name} has no snapshot of a point: its first backup has not ended, or they were deleted`),
  ]
  return manifestCount === 0 && remarks.length === 0 ? [`no backup into ${targetUrl} has ended yet`] : remarks
}

function keyOf(chain: string | undefined, pointId: string): string {
  return `${chain} ${pointId}`
}
