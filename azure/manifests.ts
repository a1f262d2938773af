/**
 * The manifests of recovery points: block blobs beside the base blob, one a point.
 *
 * `listPoints` is what counts as a point: a manifest that can be read and whose blob snapshot is there.
 */
import { setMaxListeners } from 'node:events'
import { BackupError, isFailure } from '../domain/failures.ts'
import { decodeManifest, encodeManifest, isCopied, pointBlobsOf, type AnyManifest, type PointBlob } from '../domain/manifest.ts'
import type { PointCheck } from '../domain/point-check.ts'
import { diskPrefix, DISKS_PREFIX, manifestName, parseManifestName } from '../domain/names.ts'
import { BLOB_DELETE, BLOB_READ, BLOB_WRITE } from './actions.ts'
import { orUndefined } from './arm-call.ts'
import { listBlobs } from './blob-lists.ts'
import { listStripes } from './stripe-lists.ts'
import { callStorage, PATIENT, type StorageCall } from './call.ts'
import type { AzureClients } from './clients.ts'
import { deleteIfThere } from './delete-blob.ts'
import { mapConcurrently } from './concurrent.ts'
import { isConditionRefused } from './condition-refused.ts'
import { copiedSnapshotFinder } from './copied-snapshots.ts'
import { listChecks, type PointFilter } from './point-checks.ts'

export interface ManifestRef {
  readonly blobName: string
  readonly chain: string
  readonly pointId: string
}

/** In order of names, which within a chain is by time. @throws BackupError TargetNotFound | AccessDenied */
export async function* listManifests(
  azure: AzureClients,
  targetUrl: string,
  { diskId, chain }: PointFilter = {},
  signal?: AbortSignal,
): AsyncGenerator<ManifestRef> {
  const prefix = chain ?? (diskId === undefined ? DISKS_PREFIX : diskPrefix(diskId))
  for await (const { name: blobName } of listBlobs(azure, targetUrl, { prefix }, signal)) {
    const parsed = parseManifestName(blobName)
    if (parsed !== undefined) yield { blobName, ...parsed }
  }
}

/** @throws BackupError PointNotFound where it is gone; PointDamaged | FormatNotSupported where it cannot be read, by us or from Azure. */
export async function readManifest(
  azure: AzureClients,
  targetUrl: string,
  blobName: string,
  signal?: AbortSignal,
): Promise<AnyManifest> {
  const client = azure.container(targetUrl).getBlockBlobClient(blobName)
  const text = await callStorage(
    { ...callOf('read', blobName, BLOB_READ, signal), notFound: 'PointNotFound' },
    async (abortSignal) => {
      const answer = await client.download(0, undefined, { abortSignal, maxRetryRequests: 0 })
      const chunks: Buffer[] = []
      for await (const chunk of answer.readableStreamBody ?? []) chunks.push(Buffer.from(chunk as Uint8Array))
      const body = Buffer.concat(chunks)
      if (answer.contentLength !== undefined && answer.contentLength !== body.length) throw cutOff(blobName)
      return body.toString('utf8')
    },
  ).catch((error: unknown) => {
    throw isFailure(error, 'AzureRefused') ? refusedToRead(error) : error
  })
  return decodeManifest(blobName, text)
}

/** @returns undefined where there is none. @throws BackupError PointDamaged | FormatNotSupported */
export async function findManifest(
  azure: AzureClients,
  targetUrl: string,
  chain: string,
  pointId: string,
  signal?: AbortSignal,
): Promise<AnyManifest | undefined> {
  return orUndefined('PointNotFound', () => readManifest(azure, targetUrl, manifestName(chain, pointId), signal))
}

/** The first one that is written stays. @returns it, also where that was another call's. @throws BackupError TargetNotFound | AccessDenied */
export async function createManifest(
  azure: AzureClients,
  targetUrl: string,
  blobName: string,
  manifest: AnyManifest,
  signal?: AbortSignal,
): Promise<AnyManifest> {
  const text = encodeManifest(manifest)
  const client = azure.container(targetUrl).getBlockBlobClient(blobName)
  try {
    await callStorage({ ...callOf('write', blobName, BLOB_WRITE, signal), notFound: 'TargetNotFound' }, (abortSignal) =>
      client.upload(text, Buffer.byteLength(text), {
        abortSignal,
        blobHTTPHeaders: { blobContentType: 'application/json' },
        conditions: { ifNoneMatch: '*' },
      }),
    )
    return manifest
  } catch (error) {
    const standing = isConditionRefused(error) ? await orUndefined('PointNotFound', () => readManifest(azure, targetUrl, blobName, signal)) : undefined
    if (standing === undefined) throw error
    return standing
  }
}

/** A manifest that is gone already is fine. */
export async function deleteManifest(
  azure: AzureClients,
  targetUrl: string,
  blobName: string,
  signal?: AbortSignal,
): Promise<void> {
  const client = azure.container(targetUrl).getBlockBlobClient(blobName)
  await deleteIfThere(callOf('delete', blobName, BLOB_DELETE, signal), client)
}

export interface DamagedPoint {
  readonly blobName: string
  readonly reason: string
}

export interface PointList {
  /**
   * Can be restored, as far as can be told without reading their content; of copied snapshots as far as the identity may
   * look.
   */
  readonly points: readonly AnyManifest[]
  readonly damaged: readonly DamagedPoint[]
  /** What was found out since they were sealed, by their ids. */
  readonly checks: ReadonlyMap<string, PointCheck>
}

const READS_AT_ONCE = 16

/**
 * Reads all manifests and lists each chain's blob snapshots once: a point whose snapshot is gone is damaged, and so is
 * one whose manifest cannot be read. Damage to one never hides the others. In order of names.
 * @throws BackupError TargetNotFound | AccessDenied
 */
export async function listPoints(
  azure: AzureClients,
  targetUrl: string,
  { diskId }: Pick<PointFilter, 'diskId'> = {},
  signal?: AbortSignal,
): Promise<PointList> {
  // Each read under way listens; that is no leak.
  if (signal !== undefined) setMaxListeners(0, signal)
  const filter = diskId === undefined ? {} : { diskId }
  const snapshotsOf = snapshotNames(azure, targetUrl, signal)
  const whyCopyIsGone = copiedSnapshotFinder(azure, signal)
  const points: AnyManifest[] = []
  const damaged: DamagedPoint[] = []
  const outcomes = mapConcurrently(
    listManifests(azure, targetUrl, filter, signal),
    READS_AT_ONCE,
    async ({ blobName, pointId }) => {
      try {
        const manifest = await readManifest(azure, targetUrl, blobName, signal)
        if (manifest.id !== pointId)
          return { kind: 'damaged', blobName, reason: `it speaks of another point, ${manifest.id}` } as const
        if (isCopied(manifest)) {
          const reason = await whyCopyIsGone(manifest.copiedSnapshot)
          return reason === undefined ? ({ kind: 'point', manifest } as const) : ({ kind: 'damaged', blobName, reason } as const)
        }
        const taken = await snapshotsOf(manifest.baseBlob.name)
        const gone = pointBlobsOf(manifest).find((blob) => !taken.has(keyOf(blob)))
        if (gone === undefined) return { kind: 'point', manifest } as const
        return { kind: 'damaged', blobName, reason: `the snapshot ${gone.snapshot} of ${gone.name} is gone` } as const
      } catch (error) {
        if (isFailure(error, 'PointDamaged', 'FormatNotSupported')) {
          return { kind: 'damaged', blobName, reason: error.message } as const
        }
        // Retention took it away since it was listed.
        if (isFailure(error, 'PointNotFound')) return undefined
        throw error
      }
    },
  )
  for await (const outcome of outcomes) {
    if (outcome?.kind === 'point') points.push(outcome.manifest)
    else if (outcome !== undefined) damaged.push({ blobName: outcome.blobName, reason: outcome.reason })
  }
  return { points, damaged, checks: await listChecks(azure, targetUrl, filter, signal) }
}

/** The snapshots of base blobs, of all their stripes, each listed once however often it is asked for. */
function snapshotNames(azure: AzureClients, targetUrl: string, signal: AbortSignal | undefined) {
  const listed = new Map<string, Promise<ReadonlySet<string>>>()
  const list = async (blobName: string): Promise<ReadonlySet<string>> => {
    const keys = new Set<string>()
    for await (const { name, snapshot } of listStripes(azure, targetUrl, blobName, signal)) {
      if (snapshot !== undefined) keys.add(keyOf({ name, snapshot }))
    }
    return keys
  }
  return (blobName: string): Promise<ReadonlySet<string>> => {
    const names = listed.get(blobName) ?? list(blobName)
    listed.set(blobName, names)
    return names
  }
}

function keyOf({ name, snapshot }: Pick<PointBlob, 'name' | 'snapshot'>): string {
  return `${name} ${snapshot}`
}

function callOf(doing: string, blobName: string, action: string, signal: AbortSignal | undefined): StorageCall {
  return { doing, on: `manifest ${blobName}`, action, retry: PATIENT, signal, facts: { blobName } }
}

/** Of this blob alone, as of one in the archive tier: rights, the container and the account fail otherwise. */
function refusedToRead(error: BackupError): BackupError {
  return new BackupError({ type: 'PointDamaged', message: error.message, facts: error.facts, cause: error })
}

function cutOff(blobName: string): BackupError {
  return new BackupError({
    type: 'AzureUnavailable',
    message: `manifest ${blobName} was cut off on the way; it is read again`,
  })
}
