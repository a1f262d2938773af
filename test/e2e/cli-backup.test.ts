/** `backup run`, `run` and `status` as an operator meets them: child processes on the real stack. */
import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import type { RunState } from '../../client/run-state.ts'
import { BLOB_WRITE } from '../../azure/actions.ts'
import { MIB } from '../../domain/byte-range.ts'
import { backupWorkflowId } from '../../domain/names.ts'
import { seededRandom } from '../../domain/sampler.ts'
import { DEFAULT_PRINCIPAL } from '../../simulator/azure.ts'
import type { ArmReply } from '../../simulator/compute/arm-call.ts'
import type { BackupDiskResult } from '../../workflows/messages.ts'
import { snapferry, snapferryJson } from '../support/cli-process.ts'
import { noise } from '../support/random-disk.ts'
import { openScene, TARGET_REGION, type Scene } from '../support/scene.ts'

const THROTTLED: ArmReply = {
  status: 429,
  headers: { 'Retry-After': '45' },
  body: { code: 'OperationNotAllowed', message: 'too many', details: [{ code: 'TooManyRequests', target: 'HighCostSnapshotCreate' }] },
}

let scene: Scene
/** Answers in the place of the resource manager's operations, by name. */
let answers: Record<string, () => Promise<ArmReply | undefined>> = {}
beforeAll(async () => {
  scene = await openScene({ beforeOperation: async ({ operation }) => answers[operation]?.() })
})
afterEach(() => {
  answers = {}
})
afterAll(() => scene?.close())

async function diskWithData(): Promise<string> {
  const diskId = scene.createDisk(1)
  await scene.azure.writeDisk(diskId, 0, noise(MIB, seededRandom(1)))
  return diskId
}

const backupOf = (diskId: string, ...options: string[]): string[] => ['backup', 'run', '--disk', diskId, '--target', scene.targetUrl, ...options]

/** A snapshot that is not answered before `letGo`: the run stays open. */
function holdSnapshots(): { letGo: () => void } {
  let letGo = (): void => {}
  const held = new Promise<void>((resolve) => {
    letGo = resolve
  })
  answers['Snapshots_CreateOrUpdate'] = async () => {
    await held
    return undefined
  }
  return { letGo }
}

describe('backup run', () => {
  test('--wait ends with 0 and says what was moved; --json gives the point', async () => {
    const diskId = await diskWithData()
    const first = await snapferry(scene, backupOf(diskId, '--wait'))
    expect(first).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^recovery point \S+ of .*\nfull: 1\.00 MiB moved in /) })
    const { point, warnings } = await snapferryJson<BackupDiskResult>(scene, backupOf(diskId, '--wait'))
    expect({ point, warnings }).toMatchObject({ point: { diskId, kind: 'incremental' }, warnings: [] })
  })

  test('without --wait ends with 0 when the run has started; run follow waits for it and shows its point', async () => {
    const diskId = await diskWithData()
    const { workflowId } = await snapferryJson<{ workflowId: string; runId: string }>(scene, backupOf(diskId))
    expect(workflowId).toBe(backupWorkflowId(diskId, scene.targetUrl))
    const followed = await snapferry(scene, ['run', 'follow', workflowId])
    expect(followed).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^recovery point /) })
  })

  test('a second one of the same disk and target ends with 7 and names the open run; --follow joins that', async () => {
    const diskId = await diskWithData()
    const { letGo } = holdSnapshots()
    const { workflowId, runId } = await snapferryJson<{ workflowId: string; runId: string }>(scene, backupOf(diskId))
    const second = await snapferry(scene, backupOf(diskId, '--json'))
    expect(second.exitCode).toBe(7)
    expect(JSON.parse(second.stdout)).toMatchObject({ error: { type: 'RunAlreadyOpen', message: expect.stringContaining(runId), exitCode: 7 } })
    expect(second.stderr).toContain(workflowId)
    const joined = snapferry(scene, backupOf(diskId, '--follow'), { once: { says: /joined run/, act: letGo } })
    expect(await joined).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^recovery point /) })
    expect(await scene.points(diskId)).toHaveLength(1)
  })

  test('Ctrl-C while waiting ends with 130, says how to go on, and the run makes its point', async () => {
    const diskId = await diskWithData()
    const { letGo } = holdSnapshots()
    const waited = await snapferry(scene, backupOf(diskId, '--wait'), { once: { says: /^snapshot/m, act: (interrupt) => interrupt() } })
    const workflowId = backupWorkflowId(diskId, scene.targetUrl)
    expect(waited).toMatchObject({ exitCode: 130, stdout: '', stderr: expect.stringContaining(`the run goes on; follow it with: snapferry run follow ${workflowId}`) })
    letGo()
    expect(await snapferry(scene, ['run', 'follow', workflowId])).toMatchObject({ exitCode: 0 })
  })

  test('warns at once when no worker polls', async () => {
    const idle = { SNAPFERRY_TASK_QUEUE: `idle-${randomUUID()}` }
    const { exitCode, stderr } = await snapferry(scene, backupOf(await diskWithData()), { env: idle })
    expect({ exitCode, stderr }).toEqual({
      exitCode: 0,
      stderr: expect.stringContaining(`warning: no worker polls ${idle.SNAPFERRY_TASK_QUEUE}-control and ${idle.SNAPFERRY_TASK_QUEUE}-data`),
    })
  })
})

describe('a run that Azure holds up', () => {
  test.each([
    ['throttled', 'AzureThrottled', 'Snapshots_CreateOrUpdate', 'takeSourceSnapshot', THROTTLED],
    ['down', 'AzureUnavailable', 'Disks_Get', 'planBackup', { status: 500, body: { error: { code: 'InternalServerError', message: 'try later' } } }],
  ])('while it is %s, --wait and status say %s, in which step, and when it is tried again', async (_what, type, operation, step, reply) => {
    const diskId = await diskWithData()
    const workflowId = backupWorkflowId(diskId, scene.targetUrl)
    answers[operation] = async () => reply
    const why = new RegExp(`warning: ${step}, attempt \\d+ (in \\d+s|under way), after ${type}: could not `)
    const waited = await snapferry(scene, backupOf(diskId, '--wait'), { once: { says: why, act: (interrupt) => interrupt() } })
    expect(waited).toMatchObject({ exitCode: 130, stderr: expect.stringMatching(why) })

    const run = (await snapferryJson<RunState[]>(scene, ['status'])).find((one) => one.workflowId === workflowId)
    expect(run?.retries).toEqual([expect.objectContaining({ activity: step, attempt: expect.any(Number), lastFailure: { type, message: expect.stringContaining('could not') } })])
    const { stdout } = await snapferry(scene, ['status'])
    expect(stdout).toMatch(new RegExp(`${workflowId}\n {2}${step}, attempt \\d+ (in \\d+s|under way), after ${type}: `))

    expect(await snapferry(scene, ['run', 'cancel', workflowId])).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('was asked to stop') })
    expect(await snapferry(scene, ['run', 'follow', workflowId])).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('was cancelled') })
  })
})

describe('a backup is refused', () => {
  test('with 6, and names the right, where the identity may not write to the target', async () => {
    scene.azure.assignRoles(DEFAULT_PRINCIPAL, [{ actions: ['*'], notActions: [BLOB_WRITE] }])
    const { exitCode, stdout, stderr } = await snapferry(scene, backupOf(await diskWithData(), '--wait', '--json'))
    scene.azure.assignRoles(DEFAULT_PRINCIPAL, [{ actions: ['*'] }])
    expect({ exitCode, ...JSON.parse(stdout) }).toMatchObject({ exitCode: 6, error: { type: 'AccessDenied' } })
    expect(stderr).toContain(`could not write to target ${scene.targetUrl}: the identity lacks the right ${BLOB_WRITE}`)
  })

  test('with 7 where the account of the target is premium', async () => {
    scene.azure.createAccount({ name: 'premium', sku: 'Premium_LRS', region: TARGET_REGION })
    const args = ['backup', 'run', '--disk', await diskWithData(), '--target', `${scene.azure.blobEndpoint}/premium/points`, '--wait']
    expect(await snapferry(scene, args)).toMatchObject({ exitCode: 7, stderr: expect.stringContaining('it is premium (Premium_LRS)') })
  })
})

describe('what is missing is named', () => {
  test.each([
    ['Temporal', ['status'], { TEMPORAL_ADDRESS: '127.0.0.1:1' }, 5, /Temporal does not answer at 127\.0\.0\.1:1/],
    ['a run', ['run', 'follow', 'backup/nobody/nowhere'], {}, 4, /no run backup\/nobody\/nowhere/],
  ])('%s', async (_what, args, env, exitCode, message) => {
    expect(await snapferry(scene, args, { env })).toMatchObject({ exitCode, stdout: '', stderr: expect.stringMatching(message) })
  })

  test('a credential: 6, and how to sign in', async () => {
    const nobody = { IDENTITY_ENDPOINT: undefined, IDENTITY_HEADER: undefined, AZURE_TOKEN_CREDENTIALS: 'EnvironmentCredential' }
    const { exitCode, stdout, stderr } = await snapferry(scene, ['points', 'list', '--target', scene.targetUrl, '--json'], { env: nobody })
    expect({ exitCode, ...JSON.parse(stdout) }).toMatchObject({ exitCode: 6, error: { type: 'NotSignedIn' } })
    expect(stderr).toContain('az login')
  })

  test('a disk: 4, and its id', async () => {
    const diskId = scene.freshDiskId()
    expect(await snapferry(scene, backupOf(diskId, '--wait'))).toMatchObject({ exitCode: 4, stderr: expect.stringContaining(diskId) })
  })
})
