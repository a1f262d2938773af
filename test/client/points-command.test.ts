import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { createAzureClients, type AzureClients } from '../../azure/clients.ts'
import { createManifest } from '../../azure/manifests.ts'
import type { Manifest } from '../../domain/manifest.ts'
import { baseBlobName, chainPrefix, diskKeyOf, manifestName } from '../../domain/names.ts'
import { startLocalAzure, type LocalAzure } from '../../simulator/azure.ts'
import { certificateAuthorityDirectory } from '../support/environment.ts'
import { runCli, type CliResult } from './support/cli.ts'

let azure: LocalAzure
let clients: AzureClients
let targetUrl: string
const processEnvironment = { ...process.env }

beforeAll(async () => {
  azure = await startLocalAzure({ caDir: certificateAuthorityDirectory() })
  Object.assign(process.env, { IDENTITY_ENDPOINT: azure.identityEndpoint, IDENTITY_HEADER: azure.identityHeader })
  azure.createAccount({ name: 'points' })
  clients = createAzureClients(azure)
  targetUrl = `${azure.blobEndpoint}/points/backups`
  await clients.container(targetUrl).create()
})

afterAll(async () => {
  process.env = processEnvironment
  await azure.close()
})

/** Temporal's address leads nowhere: whatever needs it fails. */
function cli(...argv: string[]): Promise<CliResult> {
  return runCli(argv, {
    TEMPORAL_ADDRESS: '127.0.0.1:1',
    SNAPFERRY_RESOURCE_MANAGER_ENDPOINT: azure.resourceManagerEndpoint,
    SNAPFERRY_RESOURCE_MANAGER_AUDIENCE: azure.resourceManagerAudience,
  })
}

const diskIdOf = (name: string) => `/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute/disks/${name}`

/** A base blob, a snapshot of it and the manifest of both. @returns the id of the point. */
async function sealPoint(diskName: string, takenAt: string): Promise<string> {
  const diskId = diskIdOf(diskName)
  const blob = clients.container(targetUrl).getPageBlobClient(baseBlobName(diskId, 'unique'))
  if (!(await blob.exists())) await blob.create(512)
  const { snapshot = '' } = await blob.createSnapshot()
  const id = `${takenAt.replace(/[-:]/g, '')}-0123456789ab`
  const manifest: Manifest = {
    format: 1,
    id,
    kind: 'full',
    reseedCause: null,
    takenAt,
    sealedAt: takenAt,
    disk: {
      id: diskId,
      uniqueId: 'unique',
      name: diskName,
      location: 'westeurope',
      shape: { logicalSectorBytes: 512 },
    },
    sizeBytes: 1024 ** 3,
    baseBlob: { name: blob.name, sizeBytes: 512, snapshot },
    source: { snapshotId: 'snapshot', snapshotUniqueId: 'unique' },
    run: { key: id, workflowId: 'backup/x', epoch: 1 },
    changedBytes: 0,
    clearedBytes: 0,
    movedBytes: 0,
    requests: 0,
    seconds: 1,
    verification: { result: 'passed', rounds: 1, writtenBytes: 0, comparedBytes: 0 },
    writtenBy: 'test',
  }
  await createManifest(clients, targetUrl, manifestName(chainPrefix(diskId, 'unique'), id), manifest)
  return id
}

test('points are listed newest first from the target alone, with damaged ones on stderr', async () => {
  expect((await cli('points', 'list', '--target', targetUrl)).stdout).toBe(`no recovery points in ${targetUrl}\n`)

  const older = await sealPoint('data', '2026-11-21T10:00:00Z')
  const newer = await sealPoint('data', '2026-11-22T10:00:00Z')
  const other = await sealPoint('other', '2026-11-21T22:00:00Z')
  const broken = manifestName(chainPrefix(diskIdOf('data'), 'unique'), 'broken')
  await clients.container(targetUrl).getBlockBlobClient(broken).upload('{', 1)

  const { exitCode, stdout, stderr } = await cli('points', 'list', '--target', targetUrl, '--json')
  expect(exitCode).toBe(0)
  expect((JSON.parse(stdout) as { id: string }[]).map(({ id }) => id)).toEqual([newer, other, older])
  expect(stderr).toContain(`warning: damaged, not restorable: ${broken}`)

  const ofDisk = await cli('points', 'list', '--target', targetUrl, '--disk', diskIdOf('data').toUpperCase(), '--json')
  expect((JSON.parse(ofDisk.stdout) as { id: string }[]).map(({ id }) => id)).toEqual([newer, older])
})

test('with --max-age, a disk whose newest point is older, or that has none, ends it with 3 beside the list', async () => {
  const hoursAgo = (hours: number): string => `${new Date(Date.now() - hours * 3_600_000).toISOString().slice(0, 19)}Z`
  await sealPoint('fresh', hoursAgo(2))
  await sealPoint('stale', hoursAgo(50))
  const of = (name: string, maxAge: string): Promise<CliResult> => cli('points', 'list', '--target', targetUrl, '--disk', diskIdOf(name), '--max-age', maxAge)

  expect(await of('fresh', '36h')).toMatchObject({ exitCode: 0, stderr: '' })
  const stale = await of('stale', '36h')
  expect(stale).toMatchObject({ exitCode: 3, stdout: expect.stringContaining('stale'), stderr: expect.stringContaining('disk rg/stale has no recovery point since') })
  expect(await of('stale', '3d')).toMatchObject({ exitCode: 0 })
  expect(await of('unknown', '36h')).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('disk rg/unknown has no recovery point') })
  expect(await of('fresh', '36')).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--max-age') })
  expect(await cli('points', 'list', '--target', targetUrl, '--max-age', '36h')).toMatchObject({ exitCode: 3, stderr: expect.not.stringContaining('fresh') })

  const file = join(await mkdtemp(join(tmpdir(), 'points-')), 'snapferry.yaml')
  const policy = { target: targetUrl, disks: [diskIdOf('fresh'), diskIdOf('never')], schedule: { every: '1d' }, retention: { keepLast: 3 } }
  await writeFile(file, JSON.stringify({ policies: { nightly: policy } }))
  const ofFile = await cli('points', 'list', '--target', targetUrl, '--max-age', '36h', '--config', file)
  expect(ofFile).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('disk rg/never has no recovery point') })
  expect(ofFile.stderr).not.toContain('/stale has')
})

test('with --max-age, a target without a point and a disk without a manifest that can be read end it with 3', async () => {
  const emptyUrl = `${azure.blobEndpoint}/points/empty`
  const container = clients.container(emptyUrl)
  await container.create()
  const list = (...options: string[]): Promise<CliResult> => cli('points', 'list', '--target', emptyUrl, '--max-age', '36h', ...options)
  expect(await list()).toMatchObject({ exitCode: 3, stderr: expect.stringContaining(`error: no recovery points in ${emptyUrl}`) })

  const broken = manifestName(chainPrefix(diskIdOf('broken'), 'unique'), '20261121T100000Z-0123456789ab')
  await container.getBlockBlobClient(broken).upload('{', 1)
  const { exitCode, stdout, stderr } = await list('--json')
  expect({ exitCode, found: JSON.parse(stdout) }).toEqual({ exitCode: 3, found: { points: [], stale: [{ diskKey: diskKeyOf(diskIdOf('broken')) }] } })
  expect(stderr).toContain(`disk ${diskKeyOf(diskIdOf('broken'))} has no recovery point that can be read`)
})

test('a target that is not there ends with 4', async () => {
  const { exitCode, stderr } = await cli('points', 'list', '--target', `${azure.blobEndpoint}/points/nowhere`)
  expect(exitCode).toBe(4)
  expect(stderr).toContain('nowhere')
})
