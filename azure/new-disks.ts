/**
 * The disks that restores make: upload disks that wait for their content, and disks that Azure fills by itself. Both are
 * found again by the `snapferry-request` tag, so a second call never makes or takes another disk.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Disk } from '@azure/arm-compute'
import { BackupError, isFailure } from '../domain/failures.ts'
import { isSameRequest } from '../domain/tags.ts'
import { armResource, callArm, named, POLL_INTERVAL_MS, untilDone, type ArmResource } from './arm-call.ts'
import type { AzureClients } from './clients.ts'
import { filledDiskBody, uploadDiskBody, type DiskFilling, type NewDiskSpec } from './disk-model.ts'
import { findDisk } from './disks.ts'
import type { ErrorContext } from './translate.ts'

const WRITE = 'Microsoft.Compute/disks/write'

/** A disk is ready within seconds of its creation; this is for a bad day of the platform. */
const READY_TIMEOUT_MS = 5 * 60_000

/**
 * Makes a disk that waits for its content (createOption Upload), and returns when it does.
 *
 * Twice with the same `snapferry-request` tag: the second call finds the disk of the first. Once the content is
 * complete the disk is no longer one to upload to, and counts as foreign.
 * @throws BackupError DiskExists for any other disk of that name; RegionMismatch where region, zone and SKU do not go
 * together.
 */
export async function createUploadDisk(azure: AzureClients, spec: NewDiskSpec, signal?: AbortSignal): Promise<void> {
  await createDisk(azure, spec, { body: uploadDiskBody(spec), states: UPLOAD_STATES }, signal)
}

/**
 * Makes a disk that Azure fills by itself, and returns when it can be used. Twice with the same `snapferry-request` tag: the
 * second call finds the disk of the first.
 * @throws BackupError DiskExists; RegionMismatch; SourceSnapshotNotFound where what it is made of is gone.
 */
export async function createFilledDisk(
  azure: AzureClients,
  spec: NewDiskSpec,
  filling: DiskFilling,
  signal?: AbortSignal,
): Promise<void> {
  await createDisk(azure, spec, { body: filledDiskBody(spec, filling), states: FILLED_STATES }, signal)
}

interface Making {
  readonly body: Disk
  /** What a disk of this making is in once it is there; in any other it has got another content. */
  readonly states: readonly string[]
}

const UPLOAD_STATES = ['readytoupload', 'activeupload']
/** A comparison by an attempt that died may still have its SAS out. */
const FILLED_STATES = ['unattached', 'activesas']

async function createDisk(azure: AzureClients, spec: NewDiskSpec, making: Making, signal?: AbortSignal): Promise<void> {
  const existing = await findDisk(azure, spec.id, signal)
  if (existing === undefined) await putDisk(armResource(azure, spec.id, 'disks'), spec, making.body, signal)
  await waitUntilReady(azure, spec, making.states, signal)
}

async function putDisk(
  resource: ArmResource,
  spec: NewDiskSpec,
  body: Disk,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { client, resourceGroup, name } = resource
  const facts = { location: spec.location, sku: spec.shape.sku, zone: spec.shape.zones?.[0], sizeBytes: spec.sizeBytes }
  const context: ErrorContext = {
    doing: 'create',
    on: named(resource),
    notFound: 'SourceDiskNotFound',
    // A group that is missing has a code of its own.
    ...(body.creationData?.createOption === 'Copy' && { when: { ResourceNotFound: 'SourceSnapshotNotFound' } }),
    action: WRITE,
    facts,
  }
  try {
    await callArm(context, signal, () =>
      untilDone(
        // Never cut off itself: what it makes could come to be behind whoever takes it back.
        client.disks.createOrUpdate(resourceGroup, name, body, { updateIntervalInMs: POLL_INTERVAL_MS }),
        signal,
      ),
    )
  } catch (error) {
    throw isPlacementRefusal(error) ? new BackupError({ ...placementRefusal(error, spec), cause: error }) : error
  }
}

/**
 * Codes vary by what is missing (SkuNotAvailable, LocationNotAvailableForResourceType, …) and
 * are not listed anywhere.
 */
function isPlacementRefusal(error: unknown): error is BackupError {
  if (!isFailure(error, 'AzureRefused')) return false
  const code = String(error.facts['code'])
  return (
    /sku|zone|location|region/i.test(code) ||
    (code === 'InvalidParameter' && /\b(sku|zones?|location|region)\b/i.test(error.message))
  )
}

function placementRefusal({ message, facts }: BackupError, { location, shape }: NewDiskSpec) {
  const asked = [shape.sku, shape.zones?.length ? `zone ${shape.zones.join(', ')}` : undefined, location].filter(
    (part) => part !== undefined,
  )
  return {
    type: 'RegionMismatch',
    message: `${message}; ${asked.join(' in ')} is not offered: choose another SKU, zone or region`,
    facts,
  } as const
}

async function waitUntilReady(
  azure: AzureClients,
  spec: NewDiskSpec,
  states: readonly string[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const deadline = Date.now() + READY_TIMEOUT_MS
  for (;;) {
    const disk = await findDisk(azure, spec.id, signal)
    if (disk !== undefined && !isSameRequest(disk.tags, spec.tags))
      throw diskExists(spec.id, 'it is not of this restore')
    const state = disk?.state?.toLowerCase()
    if (state !== undefined && states.includes(state) && !/creating|updating/i.test(disk?.provisioningState ?? '')) return
    if (disk !== undefined && state === undefined && /succeeded/i.test(disk.provisioningState ?? '')) return
    const isPending = disk === undefined || /creating|updating/i.test(disk.provisioningState ?? '')
    if (!isPending)
      throw diskExists(spec.id, `its state is ${disk.state ?? 'unknown'}, so it has got its content already`)
    if (Date.now() > deadline) throw notReady(spec.id, disk?.provisioningState)
    await sleep(POLL_INTERVAL_MS, undefined, signal === undefined ? {} : { signal })
  }
}

function diskExists(id: string, why: string): BackupError {
  return new BackupError({
    type: 'DiskExists',
    message: `disk ${id} exists: ${why}; restore to another name, or delete it first`,
    facts: { id },
  })
}

function notReady(id: string, provisioningState: string | undefined): BackupError {
  return new BackupError({
    type: 'AzureUnavailable',
    message:
      `disk ${id} is not ready after ${READY_TIMEOUT_MS / 60_000} minutes; ` +
      'it is tried again later',
    facts: { id, provisioningState },
  })
}
