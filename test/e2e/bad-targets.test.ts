/** What is wrong with a target is said in words that help, and nothing is changed. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { AzureClients } from '../../azure/clients.ts'
import type { Manifest } from '../../domain/manifest.ts'
import { baseBlobName, chainPrefix, manifestName } from '../../domain/names.ts'
import { openScene, type Scene } from '../azure/support/local-azure.ts'
import type { CliResult } from '../client/support/cli.ts'
import { runCli } from '../client/support/cli.ts'
import { aManifest, DISK_ID } from '../unit/support/builders.ts'

let scene: Scene
let azure: AzureClients
let target: string
const processEnvironment = { ...process.env }

beforeAll(async () => {
  scene = await openScene()
  azure = scene.azure
  Object.assign(process.env, { IDENTITY_ENDPOINT: scene.local.identityEndpoint, IDENTITY_HEADER: scene.local.identityHeader })
})
afterAll(async () => {
  process.env = processEnvironment
  await scene.close()
})

let containers = 0
beforeEach(async () => {
  target = `${scene.local.blobEndpoint}/backups/bad-${++containers}`
  await azure.container(target).create()
})

function rescue(...argv: string[]): Promise<CliResult> {
  return runCli(['rescue', ...argv, '--target', target], {
    SNAPFERRY_RESOURCE_MANAGER_ENDPOINT: scene.local.resourceManagerEndpoint,
    SNAPFERRY_RESOURCE_MANAGER_AUDIENCE: scene.local.resourceManagerAudience,
  })
}

const base = baseBlobName(DISK_ID, 'unique')
const { id } = aManifest()

async function put(blobName: string, text: string): Promise<void> {
  await azure.container(target).getBlockBlobClient(blobName).upload(text, Buffer.byteLength(text))
}

/** A base blob, a snapshot of it taken as a point, and the manifest of both. */
async function sealPoint(blobBytes: number, change: Partial<Manifest> = {}): Promise<string> {
  const blob = azure.container(target).getPageBlobClient(base)
  await blob.create(blobBytes)
  const { snapshot = '' } = await blob.createSnapshot({ metadata: { snapferryrun: id, snapferrykind: 'point' } })
  const manifest = aManifest({ baseBlob: { name: base, sizeBytes: blobBytes, snapshot }, sizeBytes: blobBytes - 512, ...change })
  await put(manifestName(chainPrefix(DISK_ID, 'unique'), id), JSON.stringify(manifest))
  return snapshot
}

describe('no point can be restored', () => {
  test('from an empty container', async () => {
    expect(await rescue('list')).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('is empty') })
    expect(await rescue('show', '--point', id)).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('is empty') })
  })

  test('from a container of another product, which is named as such', async () => {
    await put('vm/backup.bin', 'theirs')
    const shown = await rescue('show', '--point', id)
    expect(shown).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('it belongs to another product') })
  })

  test('from a container that is not there', async () => {
    target = `${scene.local.blobEndpoint}/backups/nowhere`
    expect(await rescue('list')).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('nowhere') })
  })

  test('from a base blob without snapshots', async () => {
    await azure.container(target).getPageBlobClient(base).create(1024)
    const shown = await rescue('show', '--disk', DISK_ID)
    expect(shown).toMatchObject({ exitCode: 4, stderr: expect.stringContaining(`base blob ${base} has no snapshot of a point`) })
  })

  test('from a snapshot whose manifest is missing, which is named', async () => {
    const snapshot = await sealPoint(1024)
    await azure.container(target).deleteBlob(manifestName(chainPrefix(DISK_ID, 'unique'), id))
    const { stderr } = await rescue('list')
    expect(stderr).toContain(`point ${id} has no manifest`)
    expect(stderr).toContain(snapshot)
  })

  test.each([
    ['corrupted', '{"format":1,"id":7}'],
    ['truncated', JSON.stringify(aManifest()).slice(0, 300)],
    ['of a newer format', '{"format":99}'],
  ])('from a manifest that is %s', async (_what, text) => {
    await put(manifestName(chainPrefix(DISK_ID, 'unique'), id), text)
    expect((await rescue('list')).stderr).toContain('damaged, not restorable')
    expect(await rescue('show', '--point', id)).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('cannot be restored') })
  })

  test('from a point whose blob snapshot is gone', async () => {
    const snapshot = await sealPoint(1024)
    await azure.container(target).getPageBlobClient(base).withSnapshot(snapshot).delete()
    const shown = await rescue('show', '--point', id)
    expect(shown).toMatchObject({ exitCode: 3, stderr: expect.stringContaining(`the snapshot ${snapshot} of ${base} is gone`) })
  })

  test('from a blob snapshot of another size than the manifest tells of', async () => {
    await sealPoint(1024, { sizeBytes: 4096 })
    const shown = await rescue('show', '--point', id)
    expect(shown).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('has 1024 bytes and not the 4608') })
  })

  test('from a blob snapshot without the footer of a disk', async () => {
    await sealPoint(1024)
    const shown = await rescue('show', '--point', id)
    expect(shown).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('does not end with the footer of a VHD') })
  })

  test('by an identity without rights, which are named', async () => {
    const { identityHeader } = scene.local
    scene.local.assignRoles(identityHeader, [])
    const listed = await rescue('list')
    scene.local.assignRoles(identityHeader, [{ actions: ['*'] }])
    expect(listed).toMatchObject({ exitCode: 6, stderr: expect.stringContaining('containers/blobs/read') })
  })
})
