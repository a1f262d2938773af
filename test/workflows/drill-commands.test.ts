/** Drills as users run them: worker processes with metrics, and the command line. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { writeDrillResult } from '../../azure/drill-results.ts'
import { MIB } from '../../domain/byte-range.ts'
import { seededRandom } from '../../domain/sampler.ts'
import { diskKeyOf } from '../../domain/names.ts'
import type { DrillList } from '../../client/drill-list.ts'
import type { DrillResult } from '../../domain/drill-result.ts'
import type { watchDrills } from '../../workflows/index.ts'
import { snapferry } from '../support/cli-process.ts'
import { noise } from '../support/random-disk.ts'
import { openScene, TARGET_REGION, type Scene } from '../support/scene.ts'
import { startWorkerProcess, type WorkerProcess } from '../support/worker-process.ts'

let scene: Scene
let folder: string
let diskId: string
let emptyDiskId: string
let worker: WorkerProcess | undefined
/** Of the worker that runs. */
let metrics: () => Promise<string>
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'snapferry-drill-commands-'))
  scene = await openScene({ hasWorker: false })
  scene.azure.createResourceGroup({ name: 'drills', location: TARGET_REGION })
  diskId = scene.createDisk(1, 'drilled')
  emptyDiskId = scene.createDisk(1, 'never-drilled')
  await scene.azure.writeDisk(diskId, 0, noise(4 * MIB, seededRandom(1)))
})
afterAll(async () => {
  await worker?.kill()
  await scene?.close()
  await rm(folder, { recursive: true })
})

async function startWithMetrics(env: Record<string, string> = {}): Promise<void> {
  const port = await freePort()
  worker = startWorkerProcess({ ...scene, env: { SNAPFERRY_METRICS_ADDRESS: `127.0.0.1:${port}`, ...env } })
  metrics = async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}

async function configWith(alertAfter: string, disks: string[]): Promise<string> {
  const file = join(folder, `${alertAfter}.yaml`)
  const drill = { schedule: { cron: '0 4 * * SUN' }, region: TARGET_REGION, resourceGroup: 'drills', alertAfter }
  await writeFile(file, JSON.stringify({ target: scene.targetUrl, policies: { nightly: { disks, schedule: { every: '4h' }, drill } } }))
  return file
}

function valueOf(text: string, name: string, labels: string): number | undefined {
  const line = text.split('\n').find((one) => one.startsWith(`${name}{`) && one.includes(labels))
  return line === undefined ? undefined : Number(line.split(' ').at(-1))
}

const watch = () =>
  scene.client.workflow.execute<typeof watchDrills>('watchDrills', {
    taskQueue: `${scene.taskQueuePrefix}-control`,
    workflowId: `drill-watch/${scene.taskQueuePrefix}`,
    args: [{ policy: 'nightly', targetUrl: scene.targetUrl, diskIds: [diskId, emptyDiskId], rule: { disks: 'one', alertAfterMs: 60_000 }, since: new Date().toISOString() }],
  })

test('drill run drills and says what it measured; drill list tells of it; metrics show it and the point, the drill also after a restart', async () => {
  await startWithMetrics()
  const { point } = await scene.backUp(diskId)
  expect(valueOf(await metrics(), 'snapferry_backup_last_point_timestamp_seconds', `disk="${diskKeyOf(diskId)}"`)).toBe(Date.parse(point.takenAt) / 1000)
  const config = await configWith('30d', [diskId])
  const ran = await snapferry(scene, ['drill', 'run', '--policy', 'nightly', '--config', config, '--wait'])
  expect(ran).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^drilled passed: \S+, usable after \S+\n$/) })

  const listed = await snapferry(scene, ['drill', 'list', '--target', scene.targetUrl, '--config', config, '--json'])
  expect(listed.exitCode).toBe(0)
  const { format, disks, policies } = JSON.parse(listed.stdout) as DrillList
  expect(format).toBe(1)
  expect(disks).toMatchObject([{ diskId, policy: 'nightly', last: { verdict: 'passed' }, isOverdue: false }])
  expect(policies).toMatchObject([{ name: 'nightly', isOverdue: false }])

  const endedSeconds = Date.parse(disks[0]!.last!.endedAt) / 1000
  const labels = `disk="${diskKeyOf(diskId)}"`
  expect(valueOf(await metrics(), 'snapferry_drill_last_success_timestamp_seconds', labels)).toBe(endedSeconds)
  expect(valueOf(await metrics(), 'snapferry_drill_rto_seconds', labels)).toBe(disks[0]!.rtoSeconds)

  await worker!.stop()
  await startWithMetrics()
  const { dueAt } = await watch()
  expect(valueOf(await metrics(), 'snapferry_drill_last_success_timestamp_seconds', labels)).toBe(endedSeconds)
  expect(valueOf(await metrics(), 'snapferry_drill_due_timestamp_seconds', 'policy="nightly"')).toBe(Date.parse(dueAt) / 1000)
  expect(Date.parse(dueAt) / 1000).toBe(endedSeconds + 60)
}, 180_000)

test('a worker runs no program of a drill unless its settings allow that; a drill that failed is told by list, metrics and exit codes', async () => {
  const args = ['drill', 'run', '--target', scene.targetUrl, '--disk', diskId, '--region', TARGET_REGION, '--resource-group', 'drills', '--json', '--wait', '--', process.execPath, '--version']
  const refused = await snapferry(scene, args)
  expect({ exitCode: refused.exitCode, error: JSON.parse(refused.stdout) as unknown }).toMatchObject({
    exitCode: 3,
    error: { error: { type: 'DrillFailed', message: expect.stringContaining('SNAPFERRY_RUN_DRILL_COMMANDS=1') } },
  })
  const listed = await snapferry(scene, ['drill', 'list', '--target', scene.targetUrl, '--disk', diskId])
  expect(listed).toMatchObject({ exitCode: 3, stdout: expect.stringContaining('failed'), stderr: expect.stringContaining('the last drill of drilled failed: ') })

  expect(valueOf(await metrics(), 'snapferry_drill_failures_total', `disk="${diskKeyOf(diskId)}"`)).toBe(1)
  expect(valueOf(await metrics(), 'snapferry_drill_last_failure_timestamp_seconds', `disk="${diskKeyOf(diskId)}"`)).toBeGreaterThan(0)

  await worker!.stop()
  await startWithMetrics({ SNAPFERRY_RUN_DRILL_COMMANDS: '1' })
  const allowed = await snapferry(scene, args)
  expect({ exitCode: allowed.exitCode, command: (JSON.parse(allowed.stdout) as DrillResult).command }).toMatchObject({ exitCode: 0, command: { exitCode: 0 } })
  expect(await metrics()).toContain('snapferry_drill_last_success_timestamp_seconds{')
}, 180_000)

test('drill list ends with 3 where the last success of a policy is older than its alertAfter', async () => {
  const list = async (alertAfter: string) =>
    snapferry(scene, ['drill', 'list', '--target', scene.targetUrl, '--disk', emptyDiskId, '--config', await configWith(alertAfter, [emptyDiskId])])
  // Nothing was backed up, so there is nothing to drill yet.
  const never = await list('1h')
  expect(never).toMatchObject({ exitCode: 0, stderr: '', stdout: expect.stringMatching(/never-drilled\s+nightly\s+never/) })

  const endedAt = new Date(Date.now() - 2 * 3_600_000).toISOString()
  const result: DrillResult = { format: 1, id: '20261126T100000Z-0123456789ab', diskId: emptyDiskId, region: TARGET_REGION, verdict: 'passed', startedAt: endedAt, endedAt, phaseSeconds: {}, warnings: [] }
  await writeDrillResult(scene.clients, scene.targetUrl, result)
  expect(await list('3h')).toMatchObject({ exitCode: 0, stderr: '' })
  expect(await list('1h')).toMatchObject({ exitCode: 3, stdout: expect.stringContaining('OVERDUE'), stderr: expect.stringContaining('the drills of policy nightly are overdue since ') })
}, 120_000)
