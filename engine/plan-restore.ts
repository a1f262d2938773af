/** Finds the point that a restore means and refuses what would overwrite or cannot work, before anything is made. */
import { findDisk } from '../azure/disks.ts'
import { parseArmId } from '../domain/arm-id.ts'
import { BackupError } from '../domain/failures.ts'
import type { Manifest } from '../domain/manifest.ts'
import type { DiskShape } from '../domain/source-disk.ts'
import { isSameRequest, restoreTags, type Tags } from '../domain/tags.ts'
import { choosePoint, type PointChoice } from './choose-point.ts'
import type { Engine } from './engine.ts'
import { pointContentOf, type RestoreJob } from './restore-job.ts'

export interface RestoreRequest extends PointChoice {
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
  const plan = await draftRestore(engine, request, signal)
  if (await isNameTaken(engine, plan.disk, signal)) {
    throw new BackupError({
      type: 'DiskExists',
      message: `disk ${plan.disk.id} exists already; a restore never overwrites a disk, so nothing was made. Choose another name`,
      facts: { diskId: plan.disk.id },
    })
  }
  return plan
}

/** The plan alone: whether the disk may be made is not asked. @throws BackupError PointNotFound, PointDamaged, … */
export async function draftRestore(engine: Engine, request: RestoreRequest, signal?: AbortSignal): Promise<PlannedRestore> {
  const to = parseArmId(request.toDiskId, 'disks')
  const manifest = await choosePoint(engine, request, signal)
  const { shape, warnings } = shapeFor(manifest, request)
  const tags = { ...manifest.disk.shape.tags, ...restoreTags(manifest.id, request.requestId) }
  return {
    job: { ...pointContentOf(request.targetUrl, manifest), toDiskId: to.id },
    manifest,
    disk: { id: to.id, location: request.region, sizeBytes: manifest.sizeBytes, shape, tags },
    warnings,
  }
}

/** A disk that an earlier attempt of the same restore made does not count. */
export async function isNameTaken(engine: Engine, { id, tags }: PlannedRestore['disk'], signal?: AbortSignal): Promise<boolean> {
  const existing = await findDisk(engine.azure, id, signal)
  return existing !== undefined && !isSameRequest(existing.tags, tags)
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
