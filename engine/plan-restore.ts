/** Finds the point that a restore means and refuses what would overwrite or cannot work, before anything is made. */
import { findDisk } from '../azure/disks.ts'
import { listPoints } from '../azure/manifests.ts'
import { parseArmId } from '../domain/arm-id.ts'
import { BackupError } from '../domain/failures.ts'
import type { Manifest } from '../domain/manifest.ts'
import { diskKeyOf } from '../domain/names.ts'
import { newestAt } from '../domain/recovery-point.ts'
import { blobBytesOf, type DiskShape } from '../domain/source-disk.ts'
import { isSameRequest, restoreTags, type Tags } from '../domain/tags.ts'
import type { Engine } from './engine.ts'
import type { RestoreJob } from './restore-job.ts'

export interface RestoreRequest {
  readonly targetUrl: string
  readonly pointId?: string
  readonly diskId?: string
  readonly at?: string
  readonly toDiskId: string
  readonly region: string
  readonly sku?: string
  readonly zone?: string
  /** Tells a retry of this restore from another one. */
  readonly requestId: string
}

export interface PlannedRestore {
  readonly job: RestoreJob
  readonly manifest: Manifest
  readonly disk: {
    readonly id: string
    readonly location: string
    readonly sizeBytes: number
    readonly shape: DiskShape
    readonly tags: Tags
  }
  readonly warnings: readonly string[]
}

/** @throws BackupError PointNotFound, PointDamaged, DiskExists, InvalidResourceId, InvalidArgument. */
export async function planRestore(engine: Engine, request: RestoreRequest, signal?: AbortSignal): Promise<PlannedRestore> {
  const to = parseArmId(request.toDiskId, 'disks')
  const manifest = await choosePoint(engine, request, signal)
  const tags = restoreTags(manifest.id, request.requestId)
  const existing = await findDisk(engine.azure, to.id, signal)
  if (existing !== undefined && !isSameRequest(existing.tags, tags)) {
    throw new BackupError({
      type: 'DiskExists',
      message: `disk ${to.id} exists already; a restore never overwrites a disk, so nothing was made. Choose another name`,
      facts: { diskId: to.id },
    })
  }
  const { shape, warnings } = shapeFor(manifest, request)
  return {
    job: {
      targetUrl: request.targetUrl,
      baseBlobName: manifest.baseBlob.name,
      blobSnapshot: manifest.baseBlob.snapshot,
      blobBytes: blobBytesOf(manifest.sizeBytes),
      toDiskId: to.id,
    },
    manifest,
    disk: { id: to.id, location: request.region, sizeBytes: manifest.sizeBytes, shape, tags: { ...manifest.disk.shape.tags, ...tags } },
    warnings,
  }
}

async function choosePoint(engine: Engine, { targetUrl, pointId, diskId, at }: RestoreRequest, signal?: AbortSignal): Promise<Manifest> {
  const { points, damaged } = await listPoints(engine.azure, targetUrl, diskId === undefined ? {} : { diskId }, signal)
  if (pointId !== undefined) {
    const found = points.find((point) => point.id === pointId)
    if (found !== undefined) return found
    const broken = damaged.find(({ blobName }) => blobName.endsWith(`/${pointId}.json`))
    if (broken === undefined) throw notFound(`point ${pointId} is not in ${targetUrl}`)
    throw new BackupError({ type: 'PointDamaged', message: `point ${pointId} cannot be restored: ${broken.reason}`, facts: { pointId } })
  }
  if (diskId === undefined) throw new BackupError({ type: 'InvalidArgument', message: 'a restore needs a point or a disk' })
  const found = newestAt(points, at ?? '9999-12-31T00:00:00Z')
  if (found !== undefined) return found
  throw notFound(
    points.length === 0
      ? `${targetUrl} holds no point of ${diskId} (${diskKeyOf(diskId)})`
      : `no point of ${diskId} in ${targetUrl} is as old as ${at}; the oldest holds ${points.at(-1)?.takenAt}`,
  )
}

/** The point's shape with what was overridden, and a remark for each thing that an upload cannot bring back. */
function shapeFor(manifest: Manifest, request: RestoreRequest): { shape: DiskShape; warnings: string[] } {
  const { zones, securityType, ...shape } = manifest.disk.shape
  const warnings: string[] = []
  const isHomeRegion = sameRegion(manifest.disk.location, request.region)
  const chosen = request.zone !== undefined ? [request.zone] : isHomeRegion ? zones : undefined
  if (zones !== undefined && zones.length > 0 && chosen === undefined) {
    warnings.push(`the disk was in zone ${zones.join(', ')} of ${manifest.disk.location}; zones of another region are not the same, so the new disk is in none (--zone)`)
  }
  if (securityType !== undefined && securityType !== 'Standard') {
    warnings.push(`the disk was of security type ${securityType}; an upload carries no guest state, so the new disk is Standard`)
  }
  return {
    shape: { ...shape, ...(chosen !== undefined && { zones: chosen }), ...(request.sku !== undefined && { sku: request.sku }) } as DiskShape,
    warnings,
  }
}

function sameRegion(a: string, b: string): boolean {
  const plain = (region: string): string => region.toLowerCase().replace(/\s/g, '')
  return plain(a) === plain(b)
}

function notFound(message: string): BackupError {
  return new BackupError({ type: 'PointNotFound', message: `${message}; "snapferry points list" shows what there is`, facts: {} })
}
