/**
 * The only place where ids, blob names and resource names are built.
 *
 * Every name follows from the disk, the target and the run's request key, so that a retry finds what the
 * attempt before it made and never makes a second one. Hashes keep names short and free of clashes; readable parts
 * are for people. Hashing is a pure function of this file because workflows, which have no `crypto`, build ids too.
 */
import { parseArmId } from './arm-id.ts'
import { hash64 } from './hash64.ts'
import { parseTargetUrl } from './target-url.ts'

/** `data-disk-1-3f9a0c12`: readable, unique by the full ARM id, the same for any spelling of its case. */
export function diskKeyOf(diskId: string): string {
  const { name } = parseArmId(diskId, 'disks')
  return `${slug(name, 40)}-${hash64(diskId.trim().toLowerCase()).slice(0, 8)}`
}

/** `account.container-1b2c3d4e`. */
export function targetKeyOf(targetUrl: string): string {
  const { url, account, container } = parseTargetUrl(targetUrl)
  return `${slug(`${account}.${container}`, 64)}-${hash64(url).slice(0, 8)}`
}

/** One id per (disk, target): Temporal lets at most one run of it be open. */
export function backupWorkflowId(diskId: string, targetUrl: string): string {
  return `backup/${diskKeyOf(diskId)}/${targetKeyOf(targetUrl)}`
}

/** At most one verification of a point, or of the newest points of a disk, is open. */
export function verifyWorkflowId(targetUrl: string, of: { readonly pointId?: string; readonly diskId?: string }): string {
  return `verify/${of.pointId ?? diskKeyOf(of.diskId ?? '')}/${targetKeyOf(targetUrl)}`
}

/** At most one restore to a disk or a snapshot is open. */
export function restoreWorkflowId(toId: string): string {
  return isSnapshotId(toId) ? `restore/snapshot/${resourceKeyOf(toId)}` : `restore/${diskKeyOf(toId)}`
}

/** Named by what it makes, so that a second start of the same group finds the first. */
export function restoreGroupWorkflowId(toDiskIds: readonly string[]): string {
  const digest = hash64([...toDiskIds].map((id) => id.trim().toLowerCase()).sort().join(' '))
  return `restore-group/${digest.slice(0, 16)}`
}

/** `diskKeyOf` of a disk, and the same of a snapshot. */
export function resourceKeyOf(id: string): string {
  if (!isSnapshotId(id)) return diskKeyOf(id)
  const { name } = parseArmId(id, 'snapshots')
  return `${slug(name, 40)}-${hash64(id.trim().toLowerCase()).slice(0, 8)}`
}

function isSnapshotId(id: string): boolean {
  return /\/snapshots\/[^/]*$/i.test(id.trim())
}

/** The disk that a snapshot is taken of when a point is restored to one: made and deleted by that restore. */
export function temporaryDiskName(toSnapshotId: string, requestId: string): string {
  return `sf-temporary-${hash64(`${toSnapshotId.trim().toLowerCase()} ${requestId}`)}`
}

/** The page blob that an import reads, beside the base blob and never taken for one. */
export function importBlobName(baseBlob: string, requestId: string): string {
  return `${importPrefix(parseBaseBlobName(baseBlob) ?? '')}${hash64(requestId)}.vhd`
}

export function importPrefix(chain: string): string {
  return `${chain}tmp/import-`
}

export function policyScheduleId(policyName: string): string {
  return `policy/${policyName}`
}

/** One id per policy: at most one run of it begins disks. */
export function policyTurnWorkflowId(policyName: string): string {
  return `policy-turn/${policyName}`
}

/** One id per (disk, target): at most one drill of it is open. */
export function drillWorkflowId(diskId: string, targetUrl: string): string {
  return `drill/${diskKeyOf(diskId)}/${targetKeyOf(targetUrl)}`
}

export function drillScheduleId(policyName: string): string {
  return `drill/${policyName}`
}

export function drillWatchScheduleId(policyName: string): string {
  return `drill-watch/${policyName}`
}

/** Sortable by time. */
export function drillIdOf(diskId: string, targetUrl: string, key: RequestKey): string {
  const digest = hash64(`drill ${diskId.trim().toLowerCase()} ${parseTargetUrl(targetUrl).url} ${key.requestedAt} ${key.requestId}`)
  return `${compactInstant(key.requestedAt)}-${digest.slice(0, 12)}`
}

/** The throw-away disk: one name per (disk, target), so that a drill finds what one before it had to leave behind. */
export function drillDiskName(diskId: string, targetUrl: string): string {
  const { name } = parseArmId(diskId, 'disks')
  const digest = hash64(`drill ${diskId.trim().toLowerCase()} ${parseTargetUrl(targetUrl).url}`)
  return `sf-drill-${name.replace(/[^A-Za-z0-9_-]/g, '-').slice(0, 40)}-${digest.slice(0, 10)}`
}

/** What a drill of the disk has found. Beside the chains: it outlives the point that was drilled. */
export function drillResultName(diskId: string, drillId: string): string {
  return `${drillPrefix(diskId)}${drillId}.json`
}

export function drillPrefix(diskId: string): string {
  return `${diskPrefix(diskId)}drills/`
}

/** Whether a blob is the result of a drill. */
export function isDrillResultName(blobName: string): boolean {
  return /^disks\/[^/]+\/drills\/[^/]+\.json$/.test(blobName)
}

/** What a backup is named after: the scheduled instant where there is one, else the instant of the request. */
export interface RequestKey {
  /** ISO instant, whole seconds count. */
  readonly requestedAt: string
  /** Tells apart what was asked for in the same second. */
  readonly requestId: string
}

/** A disk that was deleted and made again under its name is another one: what was asked of the first was not asked of it. */
export interface DiskIdentity {
  readonly id: string
  readonly uniqueId: string
}

/** Name of the run's source snapshot: at most 80 of [A-Za-z0-9_-] (learn.microsoft.com, snapshots create-or-update). */
export function sourceSnapshotName(disk: DiskIdentity, targetUrl: string, key: RequestKey): string {
  const { name } = parseArmId(disk.id, 'disks')
  const digest = hash64(runOf(disk, targetUrl, key))
  return `sf-${name.replace(/[^A-Za-z0-9_-]/g, '-').slice(0, 40)}-${compactInstant(key.requestedAt)}-${digest.slice(0, 10)}`
}

/** Name of Azure's copy of it, which may lie in the same resource group. */
export function copiedSnapshotName(disk: DiskIdentity, targetUrl: string, key: RequestKey): string {
  return `${sourceSnapshotName(disk, targetUrl, key)}-copy`
}

/** Id of a recovery point; unique within a target and sortable by time. */
export function recoveryPointId(disk: DiskIdentity, targetUrl: string, key: RequestKey): string {
  const digest = hash64(`point ${runOf(disk, targetUrl, key)}`)
  return `${compactInstant(key.requestedAt)}-${digest.slice(0, 12)}`
}

/** Whether the id is of a run that was asked for at or before an instant. */
export function isRunUntil(pointId: string, isoInstant: string): boolean {
  return pointId.slice(0, pointId.indexOf('-')) <= compactInstant(isoInstant)
}

function runOf({ id, uniqueId }: DiskIdentity, targetUrl: string, { requestedAt, requestId }: RequestKey): string {
  return `${id.trim().toLowerCase()} ${uniqueId.toLowerCase()} ${parseTargetUrl(targetUrl).url} ${requestedAt} ${requestId}`
}

/** Everything of one disk lies below this prefix; every incarnation of the disk (its `uniqueId`) has a chain of its own. */
export function diskPrefix(diskId: string): string {
  return `${DISKS_PREFIX}${diskKeyOf(diskId)}/`
}

export const DISKS_PREFIX = 'disks/'
/** Written by every run: proves the right to write and names the owner of the layout. */
export const TARGET_MARKER_NAME = 'snapferry-target.json'

export function chainPrefix(diskId: string, diskUniqueId: string): string {
  return `${diskPrefix(diskId)}${hash64(diskUniqueId.toLowerCase()).slice(0, 8)}/`
}

export function baseBlobName(diskId: string, diskUniqueId: string): string {
  return `${chainPrefix(diskId, diskUniqueId)}base.vhd`
}

const BASE_BLOB_NAME = /^(disks\/[^/]+\/[^/]+\/)base\.vhd$/

/** The chain that a base blob's name stands for, or undefined where it is none. */
export function parseBaseBlobName(blobName: string): string | undefined {
  return BASE_BLOB_NAME.exec(blobName)?.[1]
}

/** The digest table of the chain that a base blob belongs to. */
export function digestTableName(baseBlob: string): string {
  return `${parseBaseBlobName(baseBlob)}digests`
}

/** The blobs of a base blob: the first has its name, so one listing by that prefix finds all. */
export function stripeBlobName(baseName: string, stripe: number): string {
  return stripe === 0 ? baseName : `${baseName}.${stripe}`
}

/** Which stripe of the base blob a blob's name stands for, or undefined where it is none. */
export function parseStripeBlobName(baseName: string, blobName: string): number | undefined {
  if (blobName === baseName) return 0
  const suffix = blobName.startsWith(`${baseName}.`) ? blobName.slice(baseName.length + 1) : ''
  return /^[1-9]\d{0,2}$/.test(suffix) ? Number(suffix) : undefined
}

export function manifestName(chain: string, pointId: string): string {
  return `${chain}points/${pointId}.json`
}

const MANIFEST_NAME = /^(disks\/[^/]+\/[^/]+\/)points\/([^/]+)\.json$/

/** The chain and point that a blob name stands for, or undefined where it is no manifest's. */
export function parseManifestName(blobName: string): { chain: string; pointId: string } | undefined {
  const [, chain, pointId] = MANIFEST_NAME.exec(blobName) ?? []
  return chain === undefined || pointId === undefined ? undefined : { chain, pointId }
}

/** What is known of a point since it was sealed; not below `points/`, where readers look for manifests. */
export function checkName(chain: string, pointId: string): string {
  return `${chain}checks/${pointId}.json`
}

const CHECK_NAME = /^(disks\/[^/]+\/[^/]+\/)checks\/([^/]+)\.json$/

/** The chain and point that a blob name stands for, or undefined where it is no check's. */
export function parseCheckName(blobName: string): { chain: string; pointId: string } | undefined {
  const [, chain, pointId] = CHECK_NAME.exec(blobName) ?? []
  return chain === undefined || pointId === undefined ? undefined : { chain, pointId }
}

/** Says that a restore reads the point. One for each restore, as several may read one point. */
export function holdName(chain: string, pointId: string, requestId: string): string {
  return `${holdPrefix(chain)}${pointId}/${hash64(requestId)}`
}

export function holdPrefix(chain: string): string {
  return `${chain}holds/`
}

/** The point that a blob name says is held, or undefined where it is no hold's. */
export function parseHoldName(blobName: string): string | undefined {
  return /^disks\/[^/]+\/[^/]+\/holds\/([^/]+)\/[^/]+$/.exec(blobName)?.[1]
}

/** `20261122T101500Z`. */
function compactInstant(isoInstant: string): string {
  return new Date(isoInstant).toISOString().replace(/\.\d+Z$/, 'Z').replace(/[-:]/g, '')
}

function slug(text: string, maxLength: number): string {
  return text.toLowerCase().replace(/[^a-z0-9._-]/g, '-').slice(0, maxLength)
}
