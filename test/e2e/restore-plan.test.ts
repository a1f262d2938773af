/** A plan says what a restore would meet, before anything is made. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { GIB, MIB } from '../../domain/byte-range.ts'
import { baseBlobName, chainPrefix, manifestName } from '../../domain/names.ts'
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

const plan = (toDisk: string, ...options: string[]) =>
  runCli(
    ['restore', 'plan', '--target', scene.targetUrl, '--point', id, '--to-disk', toDisk, '--region', 'westeurope', ...options],
    {
      SNAPFERRY_RESOURCE_MANAGER_ENDPOINT: scene.local.resourceManagerEndpoint,
      SNAPFERRY_RESOURCE_MANAGER_AUDIENCE: scene.local.resourceManagerAudience,
    },
  )

test('names the point, the bytes, the time, and finds name and rights in order', async () => {
  const { exitCode, stdout } = await plan(scene.idOf('disks', 'fresh'), '--json')
  expect({ exitCode, survey: JSON.parse(stdout) }).toMatchObject({
    exitCode: 0,
    survey: { origin: { point: { id } }, contentBytes: 4 * MIB + 512, requests: 2, isGroupMissing: false, obstacles: [] },
  })
  expect((await plan(scene.idOf('disks', 'fresh'))).stdout).toContain('4.00 MiB in 2 requests')
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
