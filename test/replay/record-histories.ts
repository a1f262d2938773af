/** Runs one workflow of each shape against the local Azure and keeps its history: what the replay test holds later code against. */
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { BaseBlob } from '../../azure/base-blob.ts'
import { GIB, KIB, MIB } from '../../domain/byte-range.ts'
import type { DrillRule } from '../../domain/drill.ts'
import { armIdOf, parseArmId } from '../../domain/arm-id.ts'
import { backupWorkflowId, drillDiskName, drillWorkflowId, policyTurnWorkflowId, restoreWorkflowId } from '../../domain/names.ts'
import { DEFAULT_OPTIONS } from '../../domain/policy.ts'
import { seededRandom } from '../../domain/sampler.ts'
import type { OperationCall } from '../../simulator/blob-service/service-hooks.ts'
import type { DrillPolicyInput, DrillRestoreInput, RestoreGroupInput, RunPolicyInput, VerifyPointInput, WatchDrillsInput } from '../../workflows/messages.ts'
import { temporalAddress, temporalCliPath } from '../support/environment.ts'
import { noise } from '../support/random-disk.ts'
import { openScene, TARGET_REGION, type Scene } from '../support/scene.ts'

const run = promisify(execFile)
/** A history is small; Node's default of 1 MiB is smaller. */
const MAX_OUTPUT_BYTES = 64 * MIB

const DRILL: DrillRule = { region: TARGET_REGION, resourceGroup: 'drills', point: 'newest', disks: 'one', timeoutMinutes: 60, alertAfterMs: 3_600_000 }

/** One JSON file a shape is written into `folder`. */
export async function recordHistories(folder: URL): Promise<void> {
  let before: ((call: OperationCall) => Promise<void>) | undefined
  const scene = await openScene({ blobHooks: { before: (call) => before?.(call) } })
  const keep = async (shape: string, workflowId: string): Promise<void> => {
    const args = ['workflow', 'show', '--address', temporalAddress(), '--workflow-id', workflowId, '--output', 'json']
    const { stdout } = await run(temporalCliPath(), args, { maxBuffer: MAX_OUTPUT_BYTES })
    // Where this checkout lies is nobody's business.
    const text = JSON.stringify(JSON.parse(stdout)).replaceAll(process.cwd(), '/snapferry')
    await writeFile(new URL(`${shape}.json`, folder), `${text}\n`)
  }
  const backup = (diskId: string): string => backupWorkflowId(diskId, scene.targetUrl)
  try {
    const diskId = scene.createDisk(1)
    await scene.azure.writeDisk(diskId, 0, noise(8 * MIB, seededRandom(1)))
    const { point } = await scene.backUp(diskId)
    await keep('backup-full', backup(diskId))
    await scene.azure.writeDisk(diskId, MIB, noise(MIB, seededRandom(2)))
    await scene.backUp(diskId)
    await keep('backup-incremental', backup(diskId))

    const [whole] = await scene.points(diskId)
    await verify(scene, 'replay-verify', whole?.id ?? '')
    await keep('verify-passed', 'replay-verify')

    before = onceOn('PutPageFromUrl', () => spoil(scene, point.baseBlobName))
    await scene.azure.writeDisk(diskId, MIB, noise(MIB, seededRandom(3)))
    await scene.backUp(diskId)
    await keep('backup-repaired', backup(diskId))

    const [newest] = await scene.points(diskId)
    scene.azure.deleteSnapshot(newest?.source.snapshotId ?? '')
    await scene.backUp(diskId)
    await keep('backup-reseed', backup(diskId))

    scene.azure.createResourceGroup({ name: 'copies', location: TARGET_REGION })
    await scene.backUp(diskId, { copyStart: { resourceGroup: 'copies', region: TARGET_REGION } })
    await keep('backup-copy-start', backup(diskId))

    const cancelled = await scene.startBackup(diskId)
    await scene.client.workflow.getHandle(cancelled.workflowId).cancel()
    await cancelled.result().catch(() => {})
    await keep('backup-cancelled', backup(diskId))

    // Several extents, and a release behind a cancel.
    const large = scene.createDisk(200)
    await scene.azure.writeDisk(large, 150 * GIB, noise(MIB, seededRandom(5)))
    await scene.backUp(large)
    await keep('backup-extents', backup(large))
    await scene.azure.writeDisk(large, 0, noise(MIB, seededRandom(6)))
    before = onceOn('PutPageFromUrl', () => scene.client.workflow.getHandle(backup(large)).cancel().then(() => {}))
    await (await scene.startBackup(large)).result().catch(() => {})
    await keep('backup-cancelled-in-transfer', backup(large))

    const restored = scene.freshDiskId()
    await scene.restore({ pointId: point.id, toDiskId: restored })
    await keep('restore', restoreWorkflowId(restored))
    await scene.restore({ pointId: point.id, toDiskId: diskId }).catch(() => {})
    await keep('restore-refused', restoreWorkflowId(diskId))

    await restoreGroup(scene, 'replay-group', { diskId, pointId: point.id })
    await keep('restore-group', 'replay-group')

    await recordDrills(scene, diskId, keep)

    const missing = diskId.replace(/[^/]+$/, 'missing')
    await runPolicy(scene, 'replay-policy', [diskId, missing])
    await keep('policy-partly-failed', 'replay-policy')
    await keep('backup-refused', backup(missing))
    await runPolicy(scene, 'replay-turns', [diskId, missing], 1)
    await keep('policy-in-turns', 'replay-turns')
    await keep('policy-turn', policyTurnWorkflowId('replay-turns'))

    const [last] = await scene.points(diskId)
    await scene.azure.rotBlob({ account: 'backups', container: 'points', blob: point.baseBlobName, offsetBytes: 7 * MIB })
    const drill: DrillRestoreInput = { targetUrl: scene.targetUrl, diskId, pointId: last?.id ?? '', rule: DRILL }
    const drilled = drillWorkflowId(diskId, scene.targetUrl)
    await scene.client.workflow.execute('drillRestore', { taskQueue: `${scene.taskQueuePrefix}-control`, workflowId: drilled, args: [drill] }).catch(() => {})
    await keep('drill-found-damage', drilled)
    await keep('restore-found-damage', restoreWorkflowId(armIdOf({ ...parseArmId(diskId, 'disks'), resourceGroup: DRILL.resourceGroup, name: drillDiskName(diskId, scene.targetUrl) }).id))
    await verify(scene, 'replay-verify-damaged', last?.id ?? '').catch(() => {})
    await keep('verify-found-damage', 'replay-verify-damaged')

    // Alone, so that a sample of what did not change holds it.
    await scene.azure.writeDisk(diskId, 32 * MIB, noise(64 * KIB, seededRandom(4)))
    await scene.backUp(diskId)
    await scene.azure.rotBlob({ account: 'backups', container: 'points', blob: point.baseBlobName, offsetBytes: 32 * MIB })
    const { point: mended } = await scene.backUp(diskId)
    await keep('backup-mended', backup(diskId))
    await verify(scene, 'replay-verify-source', mended.id, 'source')
    await keep('verify-source', 'replay-verify-source')
  } finally {
    await scene.close()
  }
}

async function recordDrills(scene: Scene, diskId: string, keep: (shape: string, workflowId: string) => Promise<void>): Promise<void> {
  const { targetUrl } = scene
  const taskQueue = `${scene.taskQueuePrefix}-control`
  const rule = DRILL
  scene.azure.createResourceGroup({ name: 'drills', location: TARGET_REGION })
  const drills = `drill/${scene.taskQueuePrefix}`
  const input: DrillPolicyInput = { policy: 'replay', targetUrl, diskIds: [diskId], rule }
  await scene.client.workflow.execute('drillPolicy', { taskQueue, workflowId: drills, args: [input] })
  await keep('drill-policy', drills)
  await keep('drill', drillWorkflowId(diskId, targetUrl))

  // Programs are not run by this worker.
  const refused: DrillRestoreInput = { targetUrl, diskId, rule: { ...rule, command: ['true'] } }
  await scene.client.workflow.execute('drillRestore', { taskQueue, workflowId: drillWorkflowId(diskId, targetUrl), args: [refused] }).catch(() => {})
  await keep('drill-failed', drillWorkflowId(diskId, targetUrl))

  const watches = `drill-watch/${scene.taskQueuePrefix}`
  const watch: WatchDrillsInput = { ...input, since: new Date().toISOString() }
  await scene.client.workflow.execute('watchDrills', { taskQueue, workflowId: watches, args: [watch] })
  await keep('drill-watch', watches)
  await scene.client.workflow.execute('watchDrills', { taskQueue, workflowId: watches, args: [{ ...watch, rule: { disks: 'one', alertAfterMs: -1 } }] }).catch(() => {})
  await keep('drill-watch-overdue', watches)
}

/** Writes below the run's feet, so that its verification sends a range back. */
async function spoil(scene: Scene, baseBlobName: string): Promise<void> {
  const base = new BaseBlob(scene.clients, scene.targetUrl, baseBlobName)
  const found = await base.properties()
  await base.write(6 * MIB, noise(4096, seededRandom(4)), found?.sequenceNumber ?? 0)
}

function onceOn(operation: string, act: () => Promise<void>): (call: OperationCall) => Promise<void> {
  let hasActed = false
  return async (call) => {
    if (hasActed || call.operation !== operation) return
    hasActed = true
    await act()
  }
}

/** One disk is restored, and deleted again as the other cannot be. */
async function restoreGroup(scene: Scene, workflowId: string, { diskId, pointId }: { diskId: string; pointId: string }): Promise<void> {
  const member = (toDiskId: string) => ({ diskId, pointId, takenAt: '2026-11-26T10:00:00.000Z', toDiskId })
  const input: RestoreGroupInput = {
    targetUrl: scene.targetUrl,
    members: [member(scene.freshDiskId()), member(diskId)],
    how: { region: TARGET_REGION },
    isPartial: false,
  }
  const taskQueue = `${scene.taskQueuePrefix}-control`
  await scene.client.workflow.execute('restoreGroup', { taskQueue, workflowId, args: [input] }).catch(() => {})
}

async function verify(scene: Scene, workflowId: string, pointId: string, level: VerifyPointInput['level'] = 'full'): Promise<void> {
  const input: VerifyPointInput = { targetUrl: scene.targetUrl, pointId, level }
  await scene.client.workflow.execute('verifyPoint', { taskQueue: `${scene.taskQueuePrefix}-control`, workflowId, args: [input] })
}

async function runPolicy(scene: Scene, workflowId: string, diskIds: readonly string[], maxConcurrentDisks = 2): Promise<void> {
  const policy = { name: workflowId, targetUrl: scene.targetUrl, diskIds, options: DEFAULT_OPTIONS, maxConcurrentDisks }
  const input: RunPolicyInput = { policy }
  const taskQueue = `${scene.taskQueuePrefix}-control`
  await scene.client.workflow.execute('runPolicy', { taskQueue, workflowId, args: [input] }).catch(() => {})
}
