/** `points` and `restore` as an operator meets them: child processes on the real stack. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { findDisk } from '../../azure/disks.ts'
import { MIB } from '../../domain/byte-range.ts'
import type { RecoveryPoint } from '../../domain/recovery-point.ts'
import { seededRandom } from '../../domain/sampler.ts'
import type { RestoreDiskResult } from '../../workflows/messages.ts'
import { startForTests } from '../simulator/local-azure-support.ts'
import { snapferry, snapferryJson, type CliResult } from '../support/cli-process.ts'
import { noise } from '../support/random-disk.ts'
import { openScene, TARGET_REGION, type Scene } from '../support/scene.ts'

let scene: Scene
let diskId: string
let otherDiskId: string
/** Of the disk when its points were made, oldest first. */
const digests: string[] = []
beforeAll(async () => {
  scene = await openScene()
  scene.azure.createResourceGroup({ name: 'restored', location: TARGET_REGION })
  diskId = scene.createDisk(1, 'data')
  for (const seed of [1, 2]) {
    await scene.azure.writeDisk(diskId, seed * MIB, noise(MIB, seededRandom(seed)))
    digests.push((await scene.azure.digestDisk(diskId)).sha256)
    await scene.backUp(diskId)
  }
  otherDiskId = scene.createDisk(1, 'other')
  await scene.backUp(otherDiskId)
})
afterAll(() => scene?.close())

const listPoints = (...options: string[]): Promise<RecoveryPoint[]> => snapferryJson(scene, ['points', 'list', '--target', scene.targetUrl, ...options])

const restoreOf = (toDiskId: string, ...options: string[]): string[] => [
  'restore',
  'run',
  '--target',
  scene.targetUrl,
  '--to-disk',
  toDiskId,
  '--region',
  TARGET_REGION,
  '--wait',
  ...options,
]

/** @returns the type in the JSON error of a command that ended with `exitCode`. */
function errorTypeOf({ exitCode, stdout }: CliResult): { exitCode: number | null; type: string } {
  return { exitCode, type: (JSON.parse(stdout) as { error: { type: string } }).error.type }
}

describe('points list', () => {
  test('shows the points newest first, with what an operator decides by', async () => {
    const points = await listPoints('--disk', diskId)
    expect(points.map(({ kind }) => kind)).toEqual(['incremental', 'full'])
    expect(Object.keys(points[0] ?? {})).toEqual(
      expect.arrayContaining(['id', 'diskId', 'takenAt', 'sealedAt', 'kind', 'reseedCause', 'sizeBytes', 'changedBytes', 'movedBytes', 'verification']),
    )
    expect(points[0]).toMatchObject({ diskId, sizeBytes: 1024 * MIB, reseedCause: null, verification: { result: 'passed' } })
  })

  test('shows all disks without --disk, and works with Temporal gone', async () => {
    const points = await snapferryJson<RecoveryPoint[]>(scene, ['points', 'list', '--target', scene.targetUrl], { env: { TEMPORAL_ADDRESS: '127.0.0.1:1' } })
    expect(points.map((point) => point.diskId)).toEqual([otherDiskId, diskId, diskId])
  })

  test('is an empty list where there is no point', async () => {
    expect(await listPoints('--disk', scene.freshDiskId())).toEqual([])
    const text = await snapferry(scene, ['points', 'list', '--target', scene.targetUrl, '--disk', scene.freshDiskId()])
    expect(text).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^no recovery points of \S+ in http/) })
  })

  test.each([
    ['the URL of an account', () => scene.azure.blobEndpoint, 2, 'InvalidTarget'],
    ['http', () => scene.targetUrl.replace('https:', 'http:'), 2, 'InvalidTarget'],
    ['an account that is not there', () => `${scene.azure.blobEndpoint}/nowhere/points`, 4, 'TargetNotFound'],
    ['a container that is not there', () => `${scene.azure.blobEndpoint}/backups/nowhere`, 4, 'TargetNotFound'],
  ])('refuses a target that is %s', async (_what, target, exitCode, type) => {
    expect(errorTypeOf(await snapferry(scene, ['points', 'list', '--target', target(), '--json']))).toEqual({ exitCode, type })
  })
})

describe('restore run', () => {
  test('by --point makes a disk of the same bytes and says where it is', async () => {
    const [, oldest] = await listPoints('--disk', diskId)
    const toDiskId = scene.freshDiskId()
    const { exitCode, stdout } = await snapferry(scene, restoreOf(toDiskId, '--point', oldest?.id ?? ''))
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: expect.stringContaining(`disk ${toDiskId} holds point ${oldest?.id} of `) })
    expect((await scene.azure.digestDisk(toDiskId)).sha256).toBe(digests[0])
  })

  test('by --disk takes the newest point, and with --at the newest that is as old', async () => {
    const [newest, oldest] = await listPoints('--disk', diskId)
    const latest = await snapferryJson<RestoreDiskResult>(scene, restoreOf(scene.freshDiskId(), '--disk', diskId))
    expect(latest.point?.id).toBe(newest?.id)
    expect((await scene.azure.digestDisk(latest.resourceId)).sha256).toBe(digests[1])
    const earlier = await snapferryJson<RestoreDiskResult>(scene, restoreOf(scene.freshDiskId(), '--disk', diskId, '--at', oldest?.takenAt ?? ''))
    expect(earlier.point?.id).toBe(oldest?.id)
  })

  test('makes the disk with the SKU and in the zone that were asked for', async () => {
    const toDiskId = scene.freshDiskId()
    await snapferryJson(scene, restoreOf(toDiskId, '--disk', diskId, '--sku', 'Premium_LRS', '--zone', '2'))
    const disk = await scene.clients.compute(scene.azure.subscriptionId).disks.get('restored', toDiskId.split('/').at(-1) ?? '')
    expect(disk).toMatchObject({ sku: { name: 'Premium_LRS' }, zones: ['2'], location: TARGET_REGION, diskState: 'Unattached' })
  })

  test.each([
    ['a disk of that name is there', () => restoreOf(otherDiskId, '--disk', diskId), 7, 'DiskExists'],
    ['there is no such point', () => restoreOf(scene.freshDiskId(), '--point', '20200101T000000Z-nothing'), 4, 'PointNotFound'],
    ['there is no point of the disk', () => restoreOf(scene.freshDiskId(), '--disk', scene.freshDiskId()), 4, 'PointNotFound'],
    ['no point is as old', () => restoreOf(scene.freshDiskId(), '--disk', diskId, '--at', '2001-01-01'), 4, 'PointNotFound'],
    ['it is not said what to restore', () => restoreOf(scene.freshDiskId()), 2, 'InvalidArgument'],
    ['the region does not exist', () => [...restoreOf(scene.freshDiskId(), '--disk', diskId), '--region', 'atlantis'], 2, 'RegionMismatch'],
  ])('is refused where %s', async (_what, args, exitCode, type) => {
    expect(errorTypeOf(await snapferry(scene, [...args(), '--json']))).toEqual({ exitCode, type })
  })
})

describe('restore run on a terminal, by somebody whom Azure does not know', () => {
  /** Without a role; the workers have theirs. */
  const stranger = { IDENTITY_HEADER: 'stranger' }
  beforeAll(() => scene.azure.assignRoles('stranger', []))
  const signedOut = { IDENTITY_ENDPOINT: undefined, IDENTITY_HEADER: undefined, AZURE_TOKEN_CREDENTIALS: 'EnvironmentCredential' }

  test.each([
    ['without a right', stranger, 'the identity lacks the right'],
    ['not signed in', signedOut, 'could not'],
  ])('goes on without a preview (%s), as the workers act as themselves', async (_who, env, why) => {
    const toDiskId = scene.freshDiskId()
    const { exitCode, stdout, stderr } = await snapferry(scene, restoreOf(toDiskId, '--disk', diskId), { env, answer: 'y' })
    expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 0, stdout: expect.stringContaining(`disk ${toDiskId} holds point `), stderr: expect.stringMatching(/^no preview: /m) })
    expect(stderr).toContain(why)
    expect(stderr).toContain(`restore to ${toDiskId}? [y/N]`)
  })

  test('makes nothing where the answer is no', async () => {
    const toDiskId = scene.freshDiskId()
    const { exitCode, stderr } = await snapferry(scene, restoreOf(toDiskId, '--disk', diskId), { env: stranger, answer: 'n' })
    expect({ exitCode, stderr }).toEqual({ exitCode: 130, stderr: expect.stringContaining('nothing was made') })
    expect(await findDisk(scene.clients, toDiskId)).toBeUndefined()
  })

  test('asks Azure nothing with --yes', async () => {
    const { exitCode, stderr } = await snapferry(scene, restoreOf(scene.freshDiskId(), '--disk', diskId, '--yes'), { env: stranger, answer: 'n' })
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.not.stringContaining('preview') })
  })

  test('shows the plan to whoever may read, and ends where there is no such point', async () => {
    const shown = await snapferry(scene, restoreOf(scene.freshDiskId(), '--disk', diskId), { answer: 'n' })
    expect({ exitCode: shown.exitCode, stderr: shown.stderr }).toEqual({ exitCode: 130, stderr: expect.stringMatching(/in \d+ requests?/) })
    const absent = await snapferry(scene, restoreOf(scene.freshDiskId(), '--disk', scene.freshDiskId()), { answer: 'y' })
    expect(absent.exitCode).toBe(4)
  })
})

test('with a token of another tenant, the one that is asked for is named, and nothing is made', async () => {
  const elsewhere = await startForTests()
  const env = { IDENTITY_ENDPOINT: elsewhere.identityEndpoint, IDENTITY_HEADER: elsewhere.identityHeader }
  const toDiskId = scene.freshDiskId()
  const target = ['--target', scene.targetUrl]
  const restored = [...target, '--disk', diskId, '--to-disk', toDiskId, '--region', TARGET_REGION]
  for (const args of [['points', 'list', ...target], ['rescue', 'list', ...target], ['rescue', 'restore', ...restored], ['restore', 'plan', ...restored]]) {
    const { exitCode, stdout, stderr } = await snapferry(scene, args, { env })
    expect({ args, exitCode, stdout, stderr }).toEqual({ args, exitCode: 6, stdout: '', stderr: expect.stringMatching(/InvalidAuthenticationInfo.*az login --tenant [0-9a-f-]{36}, or AZURE_TENANT_ID/s) })
  }
  await elsewhere.close()
  expect(await findDisk(scene.clients, toDiskId)).toBeUndefined()
}, 60_000)
