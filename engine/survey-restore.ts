/**
 * What a restore would do, before anything is made: which point, how much, how long, whether the name is free and the rights are
 * there. Makes nothing; what cannot be found out is said to be unknown.
 */
import { permissionsBeside } from '../azure/permissions.ts'
import { cut, lengthOf, MAX_WRITE_BYTES, MIB } from '../domain/byte-range.ts'
import { isFailure } from '../domain/failures.ts'
import { isAllowed } from '../domain/permissions.ts'
import { recoveryPointOf, type RecoveryPoint } from '../domain/recovery-point.ts'
import type { DiskShape } from '../domain/source-disk.ts'
import type { Engine } from './engine.ts'
import { draftRestore, isNameTaken, type RestoreRequest } from './plan-restore.ts'
import { pointBlobOf, type PointContent } from './restore-job.ts'

export interface RightCheck {
  readonly action: string
  readonly isPresent: boolean | 'unknown'
}

export interface RestoreSurvey {
  readonly point: RecoveryPoint
  readonly toDiskId: string
  readonly region: string
  readonly shape: DiskShape
  /** Bytes that the point holds: what is copied. */
  readonly contentBytes: number
  readonly requests: number
  readonly estimatedSeconds: number
  readonly isNameTaken: boolean
  readonly isGroupMissing: boolean
  readonly rights: readonly RightCheck[]
  readonly warnings: readonly string[]
}

/** Targets of one page blob (learn.microsoft.com, scalability targets for blob storage): 60 MiB/s and 500 requests a second. */
const BLOB_BYTES_PER_SECOND = 60 * MIB
const BLOB_REQUESTS_PER_SECOND = 500

/** What a restore calls beside reading the target, which the survey itself proves. */
const DISKS = 'Microsoft.Compute/disks'
const NEEDED = ['read', 'write', 'delete', 'beginGetAccess/action', 'endGetAccess/action'].map((right) => `${DISKS}/${right}`)

/** @throws BackupError PointNotFound | PointDamaged | TargetNotFound | InvalidResourceId */
export async function surveyRestore(engine: Engine, request: RestoreRequest, signal?: AbortSignal): Promise<RestoreSurvey> {
  const { job, manifest, disk, warnings } = await draftRestore(engine, request, signal)
  const { contentBytes, requests } = await measure(engine, job, signal)
  return {
    point: recoveryPointOf(manifest),
    toDiskId: disk.id,
    region: disk.location,
    shape: disk.shape,
    contentBytes,
    requests,
    estimatedSeconds: Math.max(contentBytes / BLOB_BYTES_PER_SECOND, requests / BLOB_REQUESTS_PER_SECOND),
    isNameTaken: await whereReadable(() => isNameTaken(engine, disk, signal)),
    ...(await checkRights(engine, disk.id, signal)),
    warnings,
  }
}

/** Whether the restore can go ahead, as far as is known. */
export function obstaclesOf({ isNameTaken: taken, isGroupMissing, rights, toDiskId }: RestoreSurvey): string[] {
  return [
    ...(taken ? [`disk ${toDiskId} exists already; choose another name`] : []),
    ...(isGroupMissing ? [`the resource group or subscription of ${toDiskId} is not there; make it first`] : []),
    ...rights.filter(({ isPresent }) => isPresent === false).map(({ action }) => `the identity lacks the right ${action}`),
  ]
}

async function measure(engine: Engine, point: PointContent, signal?: AbortSignal): Promise<{ contentBytes: number; requests: number }> {
  let contentBytes = 0
  let requests = 0
  const source = pointBlobOf(engine.azure, point).pageListSource(point.blobSnapshot)
  for await (const range of engine.pageLists.allocated(source, { startBytes: 0, endBytes: point.blobBytes }, signal)) {
    contentBytes += lengthOf(range)
    requests += [...cut(range, MAX_WRITE_BYTES)].length
  }
  return { contentBytes, requests }
}

async function checkRights(engine: Engine, diskId: string, signal?: AbortSignal): Promise<Pick<RestoreSurvey, 'rights' | 'isGroupMissing'>> {
  try {
    const permissions = await permissionsBeside(engine.azure, diskId, signal)
    return { isGroupMissing: false, rights: NEEDED.map((action) => ({ action, isPresent: isAllowed(permissions, action) })) }
  } catch (error) {
    if (!isFailure(error)) throw error
    const isGroupMissing = error.type === 'SourceDiskNotFound'
    return { isGroupMissing, rights: NEEDED.map((action) => ({ action, isPresent: 'unknown' })) }
  }
}

/** A disk that may not be read is told of by the rights. */
async function whereReadable(ask: () => Promise<boolean>): Promise<boolean> {
  try {
    return await ask()
  } catch (error) {
    if (isFailure(error, 'AccessDenied')) return false
    throw error
  }
}
