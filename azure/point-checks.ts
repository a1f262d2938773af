/** The checks of recovery points: small block blobs beside the manifests. Each is changed only from the state that was read. */
import { BackupError, isFailure } from '../domain/failures.ts'
import { diskPrefix, DISKS_PREFIX, checkName, parseCheckName } from '../domain/names.ts'
import { decodePointCheck, encodePointCheck, unreadableCheck, type PointCheck } from '../domain/point-check.ts'
import { BLOB_DELETE, BLOB_READ, BLOB_WRITE } from './actions.ts'
import { orUndefined } from './arm-call.ts'
import { listBlobs } from './blob-lists.ts'
import { callStorage, ONCE, PATIENT, type StorageCall } from './call.ts'
import type { AzureClients } from './clients.ts'
import { deleteIfThere } from './delete-blob.ts'
import { mapConcurrently } from './concurrent.ts'
import { isConditionRefused } from './condition-refused.ts'

/** Selects by disk, or by one incarnation of it. */
export interface PointFilter {
  readonly diskId?: string
  readonly chain?: string
}

const READS_AT_ONCE = 16
const MAX_DECISIONS = 10

/** By the id of the point. One that Azure will not read might tell of damage, so its point counts as suspect. */
export async function listChecks(
  azure: AzureClients,
  targetUrl: string,
  { diskId, chain }: PointFilter = {},
  signal?: AbortSignal,
): Promise<Map<string, PointCheck>> {
  const prefix = chain === undefined ? (diskId === undefined ? DISKS_PREFIX : diskPrefix(diskId)) : `${chain}checks/`
  const checks = new Map<string, PointCheck>()
  const read = mapConcurrently(listBlobs(azure, targetUrl, { prefix }, signal), READS_AT_ONCE, async ({ name }) => {
    const of = parseCheckName(name)
    if (of === undefined) return undefined
    try {
      const found = await readCheck(azure, targetUrl, of.chain, of.pointId, signal)
      return found && ([of.pointId, found.check] as const)
    } catch (error) {
      if (!isFailure(error, 'AzureRefused')) throw error
      return [of.pointId, unreadableCheck(of.pointId, error.message)] as const
    }
  })
  for await (const found of read) if (found !== undefined) checks.set(...found)
  return checks
}

/** Decides on what is there, again if somebody else was faster. `change` answers undefined for no change. */
export async function updateCheck(
  azure: AzureClients,
  targetUrl: string,
  { chain, pointId }: { readonly chain: string; readonly pointId: string },
  change: (was: PointCheck | undefined) => PointCheck | undefined,
  signal?: AbortSignal,
): Promise<void> {
  for (let decision = 1; ; decision += 1) {
    const found = await readCheck(azure, targetUrl, chain, pointId, signal)
    const next = change(found?.check)
    if (next === undefined) return
    try {
      const text = encodePointCheck(next)
      const call = { ...callOf('write', checkName(chain, pointId), BLOB_WRITE, signal), retry: ONCE, notFound: 'TargetNotFound' } as const
      await callStorage(call, (abortSignal) =>
        azure
          .container(targetUrl)
          .getBlockBlobClient(checkName(chain, pointId))
          .upload(text, Buffer.byteLength(text), {
            abortSignal,
            blobHTTPHeaders: { blobContentType: 'application/json' },
            conditions: found === undefined ? { ifNoneMatch: '*' } : { ifMatch: found.etag },
          }),
      )
      return
    } catch (error) {
      // 409: BlobAlreadyExists. An answer that was lost looks the same; then the change is decided on its own outcome.
      if (!isConditionRefused(error) || decision === MAX_DECISIONS) throw error
    }
  }
}

/** One that is gone already is fine. */
export async function deleteCheck(azure: AzureClients, targetUrl: string, chain: string, pointId: string, signal?: AbortSignal): Promise<void> {
  const name = checkName(chain, pointId)
  await deleteIfThere(callOf('delete', name, BLOB_DELETE, signal), azure.container(targetUrl).getBlockBlobClient(name))
}

async function readCheck(
  azure: AzureClients,
  targetUrl: string,
  chain: string,
  pointId: string,
  signal: AbortSignal | undefined,
): Promise<{ readonly check: PointCheck; readonly etag: string } | undefined> {
  const name = checkName(chain, pointId)
  const client = azure.container(targetUrl).getBlockBlobClient(name)
  const call = { ...callOf('read', name, BLOB_READ, signal), notFound: 'PointNotFound' } as const
  return orUndefined('PointNotFound', () =>
    callStorage(call, async (abortSignal) => {
      const answer = await client.download(0, undefined, { abortSignal, maxRetryRequests: 0 })
      const pieces: Buffer[] = []
      for await (const piece of answer.readableStreamBody ?? []) pieces.push(Buffer.from(piece as Uint8Array))
      const body = Buffer.concat(pieces)
      if (answer.contentLength !== undefined && answer.contentLength !== body.length) throw cutOff(name)
      return { check: decodePointCheck(pointId, body.toString('utf8')), etag: answer.etag ?? '' }
    }),
  )
}

function callOf(doing: string, blobName: string, action: string, signal: AbortSignal | undefined): StorageCall {
  return { doing, on: `check ${blobName}`, action, retry: PATIENT, signal, facts: { blobName } }
}

function cutOff(blobName: string): BackupError {
  return new BackupError({ type: 'AzureUnavailable', message: `check ${blobName} was cut off on the way; it is read again` })
}
