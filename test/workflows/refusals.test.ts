import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { ApplicationFailure, WorkflowFailedError } from '@temporalio/client'
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common'
import type { FailureType } from '../../domain/failures.ts'
import { backupWorkflowId } from '../../domain/names.ts'
import { DEFAULT_OPTIONS } from '../../domain/policy.ts'
import { openScene, TARGET_REGION, type Scene } from '../support/scene.ts'

let scene: Scene
beforeAll(async () => {
  scene = await openScene()
})
afterAll(() => scene?.close())

/** The failure that an activity or workflow gave up with. */
async function failureOf(run: Promise<unknown>): Promise<ApplicationFailure> {
  const error: unknown = await run.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  let cause = error
  while (cause instanceof Error && !(cause instanceof ApplicationFailure)) cause = cause.cause
  if (cause instanceof ApplicationFailure) return cause
  throw new Error(`expected a failed workflow, got ${error instanceof WorkflowFailedError ? 'a failure without a type' : String(error)}`)
}

async function expectRefused(run: Promise<unknown>, type: FailureType, message: RegExp): Promise<void> {
  const failure = await failureOf(run)
  expect({ type: failure.type, message: failure.message }).toEqual({ type, message: expect.stringMatching(message) })
}

function backUpTo(targetUrl: string, diskId: string): Promise<unknown> {
  return scene.client.workflow.execute('backupDisk', {
    taskQueue: `${scene.taskQueuePrefix}-control`,
    workflowId: backupWorkflowId(diskId, targetUrl),
    args: [{ diskId, targetUrl, options: DEFAULT_OPTIONS }],
  })
}

describe('a backup is refused, and no snapshot is taken, when', () => {
  test('the disk is not there', async () => {
    const diskId = `/subscriptions/${scene.azure.subscriptionId}/resourceGroups/source/providers/Microsoft.Compute/disks/nobody`
    scene.createDisk(1)
    await expectRefused(scene.backUp(diskId), 'SourceDiskNotFound', /nobody/)
  })

  test('its sectors have 4096 bytes', async () => {
    const { id } = scene.azure.createDisk({ name: 'ultra', sizeGib: 4, sku: 'UltraSSD_LRS', resourceGroup: 'source', zones: ['1'] })
    await expectRefused(scene.backUp(id), 'SectorSizeNotSupported', /4096-byte sectors.*VHDX/)
  })

  test('only its guest state could read its bytes', async () => {
    const securityProfile = { securityType: 'ConfidentialVM_DiskEncryptedWithPlatformKey' }
    const { id } = scene.azure.createDisk({ name: 'confidential', sizeGib: 1, resourceGroup: 'source', properties: { securityProfile } })
    await expectRefused(scene.backUp(id), 'SecurityTypeNotSupported', /ConfidentialVM_DiskEncryptedWithPlatformKey.*vTPM/)
  })

  test('it is larger than an upload can be', async () => {
    const spec = { name: 'huge', sizeGib: 32_768, sku: 'PremiumV2_LRS', logicalSectorSize: 512, resourceGroup: 'source', zones: ['1'] } as const
    await expectRefused(scene.backUp(scene.azure.createDisk(spec).id), 'DiskTooLarge', /32768 GiB/)
  })

  test('the account of the target is premium', async () => {
    scene.azure.createAccount({ name: 'premium', sku: 'Premium_LRS', region: TARGET_REGION })
    await expectRefused(backUpTo(`${scene.azure.blobEndpoint}/premium/points`, scene.createDisk(1)), 'TargetNotSupported', /[Pp]remium/)
  })

  test('the account has a hierarchical namespace', async () => {
    scene.azure.createAccount({ name: 'datalake', isHnsEnabled: true, region: TARGET_REGION })
    await expectRefused(backUpTo(`${scene.azure.blobEndpoint}/datalake/points`, scene.createDisk(1)), 'TargetNotSupported', /hierarchical/)
  })

  test('the container is not there', async () => {
    await expectRefused(backUpTo(`${scene.azure.blobEndpoint}/backups/elsewhere`, scene.createDisk(1)), 'TargetNotFound', /elsewhere/)
  })

  test('a blob of somebody else stands where the base blob belongs', async () => {
    const diskId = scene.createDisk(1)
    const { point } = await scene.backUp(diskId)
    const blob = scene.clients.container(scene.targetUrl).getPageBlobClient(point.baseBlobName)
    await blob.setMetadata({ owner: 'somebody' })
    await expectRefused(scene.backUp(diskId), 'BaseBlobForeign', /base\.vhd/)
  })

  afterAll(async () => {
    const sources = await scene.sourceSnapshots()
    // The last case made one point, and so has one cursor.
    expect(sources).toHaveLength(1)
    expect(scene.azure.grantedAccess()).toEqual([])
  })
})

describe('a restore is refused, and no disk is made or changed, when', () => {
  test('a disk of that name exists', async () => {
    const diskId = scene.createDisk(1)
    const { point } = await scene.backUp(diskId)
    await expectRefused(scene.restore({ pointId: point.id, toDiskId: diskId }), 'DiskExists', /never overwrites/)
    expect((await scene.azure.digestDisk(diskId)).lengthBytes).toBe(2 ** 30)
  })

  test('there is no such point', async () => {
    const toDiskId = scene.freshDiskId()
    await expectRefused(scene.restore({ pointId: '20200101T000000Z-nothing', toDiskId }), 'PointNotFound', /points list/)
  })

  test('no point is as old as was asked for', async () => {
    const diskId = scene.createDisk(1)
    await scene.backUp(diskId)
    await expectRefused(scene.restore({ diskId, at: '2001-01-01T00:00:00Z' }), 'PointNotFound', /as old as/)
  })

  test('its manifest is broken', async () => {
    const diskId = scene.createDisk(1)
    const { point } = await scene.backUp(diskId)
    const name = `${point.baseBlobName.replace('base.vhd', '')}points/${point.id}.json`
    await scene.clients.container(scene.targetUrl).getBlockBlobClient(name).upload('{"format": 1', 12)
    await expectRefused(scene.restore({ pointId: point.id }), 'PointDamaged', /not JSON/)
  })
})

test('a second run of the same disk and target is not started while one is open', async () => {
  const diskId = scene.createDisk(1)
  const open = await scene.startBackup(diskId)
  await expect(scene.startBackup(diskId)).rejects.toBeInstanceOf(WorkflowExecutionAlreadyStartedError)
  await open.result()
})
