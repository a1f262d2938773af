/** A plan says what a restore would meet, before anything is made. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { createManifest } from '../../azure/manifests.ts'
import { GIB, MIB } from '../../domain/byte-range.ts'
import type { Manifest } from '../../domain/manifest.ts'
import { baseBlobName, chainPrefix, checkName, manifestName } from '../../domain/names.ts'
import { encodePointCheck } from '../../domain/point-check.ts'
import { openScene, type Scene } from '../azure/support/local-azure.ts'
import { runCli } from '../client/support/cli.ts'
import { aManifest, DISK_ID } from '../unit/support/builders.ts'

let scene: Scene
const processEnvironment = { ...process.env }
const { id } = aManifest()

beforeAll(async () => {
  scene = await openScene()
  Object.assign(process.env, { IDENTITY_ENDPOINT: scene.local.identityEndpoint, IDENTITY_HEADER: scene.local.identityHeader })
  const name = baseBlobName(DISK_ID, 'unique')
  const container = scene.azure.container(scene.targetUrl)
  const blob = container.getPageBlobClient(name)
  await blob.create(GIB + 512)
  await blob.uploadPages(Buffer.alloc(4 * MIB, 1), 0, 4 * MIB)
  await blob.uploadPages(Buffer.alloc(512, 'conectix'), GIB, 512)
  const { snapshot = '' } = await blob.createSnapshot()
  const manifest = JSON.stringify(aManifest({ sizeBytes: GIB, baseBlob: { name, sizeBytes: GIB + 512, snapshot } }))
  await container.getBlockBlobClient(manifestName(chainPrefix(DISK_ID, 'unique'), id)).upload(manifest, Buffer.byteLength(manifest))
})
afterAll(async () => {
  process.env = processEnvironment
  await scene.close()
})

const cli = (...argv: string[]) =>
  runCli(argv, {
    SNAPFERRY_RESOURCE_MANAGER_ENDPOINT: scene.local.resourceManagerEndpoint,
    SNAPFERRY_RESOURCE_MANAGER_AUDIENCE: scene.local.resourceManagerAudience,
  })
const plan = (toDisk: string, ...options: string[]) =>
  cli('restore', 'plan', '--target', scene.targetUrl, '--point', id, '--to-disk', toDisk, '--region', 'westeurope', ...options)

test('names the point, the bytes, the time, and finds name and rights in order', async () => {
  const { exitCode, stdout } = await plan(scene.idOf('disks', 'fresh'), '--json')
  expect({ exitCode, survey: JSON.parse(stdout) }).toMatchObject({
    exitCode: 0,
    survey: { origin: { point: { id } }, contentBytes: 4 * MIB + 512, requests: 2, isGroupMissing: false, obstacles: [] },
  })
  expect((await plan(scene.idOf('disks', 'fresh'))).stdout).toContain('4.00 MiB in 2 requests')
})

test('where the newest manifest of a disk cannot be read, whoever takes its newest point is told, and where none can, nothing is restored', async () => {
  const points = `${chainPrefix(DISK_ID, 'unique')}points/`
  const container = scene.azure.container(scene.targetUrl)
  const broken = `${points}29990101T000000Z-0123456789ab.json`
  await container.getBlockBlobClient(broken).upload('{', 1)
  const ofDisk = (command: string, ...options: string[]) =>
    cli(...command.split(' '), '--target', scene.targetUrl, '--disk', DISK_ID, '--to-disk', scene.idOf('disks', `of-${command.replace(' ', '-')}`), '--region', 'westeurope', ...options)

  const planned = await ofDisk('restore plan')
  expect(planned).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(`damaged, passed over: ${broken}: `) })
  expect(planned.stdout).toContain(id)
  expect((await ofDisk('restore plan', '--at', '2998-01-01T00:00:00Z')).stdout).not.toContain('passed over')
  const restored = await ofDisk('rescue restore')
  expect(restored).toMatchObject({ exitCode: 0, stderr: expect.stringContaining(`warning: damaged, passed over: ${broken}: `) })

  const whole = container.getBlockBlobClient(`${points}${id}.json`)
  const kept = await whole.downloadToBuffer()
  await whole.upload('{', 1)
  const refused = await ofDisk('restore plan')
  await whole.upload(kept, kept.length)
  expect(refused).toMatchObject({ exitCode: 3, stderr: expect.stringContaining(`point ${broken.slice(points.length, -'.json'.length)} cannot be restored: `) })
  await container.getBlockBlobClient(broken).delete()
})

test('a suspect point that is passed over for an older one is named', async () => {
  const container = scene.azure.container(scene.targetUrl)
  const chain = chainPrefix(DISK_ID, 'unique')
  const kept = JSON.parse((await container.getBlockBlobClient(manifestName(chain, id)).downloadToBuffer()).toString()) as Manifest
  const newer = '29990101T000000Z-0123456789ab'
  await createManifest(scene.azure, scene.targetUrl, manifestName(chain, newer), { ...kept, id: newer, takenAt: '2999-01-01T00:00:00Z' })
  const suspect = { since: '2999-01-02T00:00:00Z', ranges: [], foundIn: newer }
  const check = encodePointCheck({ format: 1, pointId: newer, suspect })
  await container.getBlockBlobClient(checkName(chain, newer)).upload(check, check.length)

  const shown = await cli('restore', 'export', '--target', scene.targetUrl, '--disk', DISK_ID, '--range', '0-0')
  expect(shown).toMatchObject({ exitCode: 0, stderr: expect.stringContaining(`warning: passed over: point ${newer} of ${kept.disk.name} is suspect since 2999`) })
})

test('a point that --verified passes over for an older one is named', async () => {
  const container = scene.azure.container(scene.targetUrl)
  const chain = chainPrefix(DISK_ID, 'unique')
  const verified = encodePointCheck({ format: 1, pointId: id, verified: { level: 'full', at: '2999-01-02T00:00:00Z', comparedBytes: 1 } })
  await container.getBlockBlobClient(checkName(chain, id)).upload(verified, verified.length)
  const kept = JSON.parse((await container.getBlockBlobClient(manifestName(chain, id)).downloadToBuffer()).toString()) as Manifest
  const newer = '29990103T000000Z-0123456789ab'
  await createManifest(scene.azure, scene.targetUrl, manifestName(chain, newer), { ...kept, id: newer, takenAt: '2999-01-03T00:00:00Z' })

  const shown = await cli('restore', 'export', '--target', scene.targetUrl, '--disk', DISK_ID, '--verified', '--range', '0-0')
  expect(shown).toMatchObject({ exitCode: 0, stderr: expect.stringContaining(`warning: passed over: point ${newer} of ${kept.disk.name} was not compared`) })
})

test('says that the name is taken, that the group is missing, and which right is', async () => {
  const taken = scene.local.createDisk({ name: 'taken', sizeGib: 1, resourceGroup: 'local' }).id
  expect((await plan(taken)).stdout).toContain(`BLOCKED disk ${taken} exists already`)
  expect((await plan(taken.replace('/local/', '/nowhere/'))).stdout).toContain('BLOCKED the resource group')
  scene.local.assignRoles(scene.local.identityHeader, [{ actions: ['*'], notActions: ['Microsoft.Compute/disks/beginGetAccess/*'] }])
  const { stdout } = await plan(scene.idOf('disks', 'fresh'))
  expect(stdout).toContain('BLOCKED the identity lacks the right Microsoft.Compute/disks/beginGetAccess/action')
  expect(stdout).not.toContain('disks/write')
})
