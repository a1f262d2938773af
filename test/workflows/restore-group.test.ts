/** The disks of a virtual machine together: found by their points, all or none, and attached or swapped as they were. */
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { findDisk } from '../../azure/disks.ts'
import { updateCheck } from '../../azure/point-checks.ts'
import { getVm } from '../../azure/virtual-machines.ts'
import { KIB, MIB } from '../../domain/byte-range.ts'
import { parseBaseBlobName } from '../../domain/names.ts'
import { passed, suspected, type PointCheck } from '../../domain/point-check.ts'
import { seededRandom } from '../../domain/sampler.ts'
import { DEFAULT_PRINCIPAL } from '../../simulator/azure.ts'
import type { Fate, OperationCall } from '../../simulator/blob-service/service-hooks.ts'
import { runCli } from '../client/support/cli.ts'
import { temporalAddress } from '../support/environment.ts'
import { noise } from '../support/random-disk.ts'
import { openScene, SOURCE_REGION, TARGET_REGION, type Scene } from '../support/scene.ts'

let scene: Scene
let vmId: string
let spoil: ((call: OperationCall) => Fate | undefined) | undefined
/** The OS disk first. */
const disks: { readonly id: string; readonly name: string; readonly sha256: string }[] = []
beforeAll(async () => {
  scene = await openScene({ blobHooks: { before: (call) => spoil?.(call) } })
  for (const [name, location] of [['restored', TARGET_REGION], ['beside', SOURCE_REGION]] as const) scene.azure.createResourceGroup({ name, location })
  for (const [index, name] of ['web-os', 'web-data', 'web-log'].entries()) {
    const id = scene.createDisk(1, name)
    await scene.azure.writeDisk(id, index * MIB, noise(64 * KIB, seededRandom(index)))
    disks.push({ id, name, sha256: (await scene.azure.digestDisk(id)).sha256 })
  }
  const attach = (index: number) => ({ createOption: 'Attach', caching: 'None', managedDisk: { id: disks[index]!.id } }) as const
  const { id = '' } = await compute().virtualMachines.createOrUpdate('source', 'web', {
    location: SOURCE_REGION,
    tags: { tier: 'web' },
    storageProfile: {
      osDisk: { ...attach(0), osType: 'Linux', caching: 'ReadWrite' },
      dataDisks: [{ ...attach(1), lun: 3 }, { ...attach(2), lun: 7, caching: 'ReadOnly' }],
    },
  })
  vmId = id
  for (const disk of disks) await scene.backUp(disk.id)
}, 240_000)
afterAll(() => scene?.close())
afterEach(() => {
  spoil = undefined
  scene.azure.assignRoles(DEFAULT_PRINCIPAL, [{ actions: ['*'] }])
  expect(scene.azure.grantedAccess()).toEqual([])
})

function compute() {
  return scene.clients.compute(scene.azure.subscriptionId)
}

function cli(...argv: string[]) {
  return runCli(argv, {
    TEMPORAL_ADDRESS: temporalAddress(),
    SNAPFERRY_TASK_QUEUE: scene.taskQueuePrefix,
    SNAPFERRY_RESOURCE_MANAGER_ENDPOINT: scene.azure.resourceManagerEndpoint,
    SNAPFERRY_RESOURCE_MANAGER_AUDIENCE: scene.azure.resourceManagerAudience,
  })
}

const group = (suffix: string, ...options: string[]) =>
  cli('restore', 'group', '--target', scene.targetUrl, '--to-resource-group', 'restored', '--region', TARGET_REGION, '--suffix', suffix, '--wait', ...options)

const made = (name: string, suffix: string): string => disks[0]!.id.replace(/resourceGroups\/.*$/, `resourceGroups/restored/providers/Microsoft.Compute/disks/${name}${suffix}`)

async function restoredNames(suffix: string): Promise<string[]> {
  const names: string[] = []
  for await (const { name = '' } of compute().disks.listByResourceGroup('restored')) if (name.endsWith(suffix)) names.push(name)
  return names.sort()
}

const SUSPICION = (foundIn: string) => ({ since: new Date().toISOString(), ranges: [{ startBytes: 0, endBytes: 4 * MIB }], foundIn })

/** What a verification of the point would have written down. */
async function check(pointId: string, change: (was: PointCheck | undefined) => PointCheck): Promise<void> {
  const point = (await scene.points()).find(({ id }) => id === pointId)
  const chain = parseBaseBlobName(point!.baseBlob.name)!
  await updateCheck(scene.clients, scene.targetUrl, { chain, pointId }, change)
}

describe('a group', () => {
  test('of a virtual machine has all its disks, byte for byte, and what attaches them as they were', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'snapferry-attach-'))
    const { exitCode, stdout, stderr } = await group('-all', '--vm', vmId, '--out', folder, '--json')
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('OS disk') })
    for (const { name, sha256 } of disks) expect((await scene.azure.digestDisk(made(name, '-all'))).sha256).toBe(sha256)
    const profile = {
      osDisk: { createOption: 'Attach', osType: 'Linux', caching: 'ReadWrite', managedDisk: { id: made('web-os', '-all') } },
      dataDisks: [
        { lun: 3, createOption: 'Attach', caching: 'None', managedDisk: { id: made('web-data', '-all') } },
        { lun: 7, createOption: 'Attach', caching: 'ReadOnly', managedDisk: { id: made('web-log', '-all') } },
      ],
    }
    expect(JSON.parse(stdout)).toMatchObject({ attach: profile })
    expect(JSON.parse(readFileSync(join(folder, 'attach.json'), 'utf8'))).toEqual({ storageProfile: profile })
    expect(readFileSync(join(folder, 'attach.bicep'), 'utf8')).toContain(`      lun: 3\n`)

    const { storageProfile } = JSON.parse(readFileSync(join(folder, 'attach.json'), 'utf8'))
    const { id = '' } = await compute().virtualMachines.createOrUpdate('restored', 'web-2', { location: TARGET_REGION, storageProfile })
    expect((await getVm(scene.clients, id)).disks.map(({ name, lun }) => [name, lun])).toEqual([['web-os-all', undefined], ['web-data-all', 3], ['web-log-all', 7]])
  }, 120_000)

  test('of which one disk fails leaves none of its disks', async () => {
    // The data of the third disk begins there; by its third round the others are mostly done.
    spoil = ({ operation, account, request }) =>
      operation === 'PutPageFromUrl' && account.startsWith('md-') && (request.header('x-ms-range') ?? request.header('range'))?.startsWith(`bytes=${2 * MIB}-`) ? { flipByteAt: 700 } : undefined
    const { exitCode, stderr } = await group('-none', '--vm', vmId)
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('disk web-log of the group could not be restored, so none was') })
    expect(await restoredNames('-none')).toEqual([])
  }, 120_000)

  test('may be partial, and says what failed', async () => {
    const taken = made('web-log', '-some')
    await compute().disks.createOrUpdate('restored', 'web-log-some', { location: TARGET_REGION, diskSizeGB: 1, creationData: { createOption: 'Empty' } })
    const { exitCode, stdout } = await group('-some', '--vm', vmId, '--partial')
    expect({ exitCode, stdout }).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(`FAILED ${taken}: disk ${taken} exists already`) })
    expect(await restoredNames('-some')).toEqual(['web-data-some', 'web-log-some', 'web-os-some'])
  }, 120_000)

  test('is refused where a disk has no point, and made without it with --partial', async () => {
    const other = scene.createDisk(1, 'never-backed-up')
    const refused = await group('-two', '--disks', disks[1]!.id, other)
    expect(refused).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('--partial restores the others') })
    expect(await restoredNames('-two')).toEqual([])
    const { exitCode, stderr } = await group('-two', '--partial', '--disks', disks[1]!.id, other)
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('left out') })
    expect(await restoredNames('-two')).toEqual(['web-data-two'])
  }, 120_000)

  test('has the newest point of each disk that may be taken, and says which were passed over', async () => {
    const diskId = scene.createDisk(1, 'checked')
    const states: { id: string; sha256: string }[] = []
    for (const seed of [10, 11]) {
      await scene.azure.writeDisk(diskId, 0, noise(64 * KIB, seededRandom(seed)))
      states.push({ sha256: (await scene.azure.digestDisk(diskId)).sha256, id: (await scene.backUp(diskId)).point.id })
    }
    const [older, newer] = states as [(typeof states)[0], (typeof states)[0]]
    const taken = async (suffix: string, ...options: string[]) => {
      const { exitCode, stderr } = await group(suffix, '--disks', diskId, ...options)
      return { exitCode, stderr, sha256: exitCode === 0 ? (await scene.azure.digestDisk(made('checked', suffix))).sha256 : undefined }
    }
    await check(older.id, (was) => passed(was, older.id, { level: 'full', at: new Date().toISOString(), comparedBytes: MIB }))
    expect(await taken('-verified', '--verified')).toMatchObject({ sha256: older.sha256, stderr: expect.stringContaining(`passed over: point ${newer.id} of checked was not compared`) })
    expect(await taken('-newest')).toMatchObject({ sha256: newer.sha256, stderr: expect.not.stringContaining('passed over') })
    await check(newer.id, (was) => suspected(was, newer.id, SUSPICION(newer.id)))
    expect(await taken('-sound')).toMatchObject({ sha256: older.sha256, stderr: expect.stringContaining(`passed over: point ${newer.id} of checked is suspect since`) })
    await check(older.id, (was) => suspected(was, older.id, SUSPICION(older.id)))
    expect(await taken('-nothing')).toMatchObject({ exitCode: 4, stderr: expect.stringContaining(`passed over: point ${older.id} of checked is suspect since`) })
    expect(await taken('-as-it-is', '--allow-suspect')).toMatchObject({ sha256: newer.sha256, stderr: expect.stringContaining(`SUSPECT: point ${newer.id}`) })
  }, 180_000)

  test('of a machine with a disk whose points are all suspect is refused, and not made without it', async () => {
    const [point] = await scene.points(disks[1]!.id)
    await check(point!.id, (was) => suspected(was, point!.id, SUSPICION(point!.id)))
    const { exitCode, stderr } = await group('-unsound', '--vm', vmId)
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 4, stderr: expect.stringContaining(disks[1]!.id) })
    expect(await restoredNames('-unsound')).toEqual([])
    await check(point!.id, () => passed(undefined, point!.id, { level: 'full', at: new Date().toISOString(), comparedBytes: MIB }))
  }, 120_000)

  test('has points that Azure copied as well', async () => {
    scene.azure.createResourceGroup({ name: 'copies', location: TARGET_REGION })
    const diskId = scene.createDisk(1, 'copied')
    await scene.azure.writeDisk(diskId, 0, noise(64 * KIB, seededRandom(20)))
    const { sha256 } = await scene.azure.digestDisk(diskId)
    await scene.backUp(diskId, { copyStart: { resourceGroup: 'copies', region: TARGET_REGION } })
    expect(await group('-both', '--disks', diskId, disks[1]!.id)).toMatchObject({ exitCode: 0 })
    expect((await scene.azure.digestDisk(made('copied', '-both'))).sha256).toBe(sha256)
    expect((await scene.azure.digestDisk(made('web-data', '-both'))).sha256).toBe(disks[1]!.sha256)
  }, 120_000)

  test('of a machine that no point tells of is named by its disks instead', async () => {
    const { exitCode, stderr } = await group('-x', '--vm', `${vmId}-unknown`)
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('name them by --disks') })
  })
})

test('a backup that may not read the virtual machine is made without it', async () => {
  scene.azure.assignRoles(DEFAULT_PRINCIPAL, [{ actions: ['*'], notActions: ['Microsoft.Compute/virtualMachines/read'] }])
  const { point } = await scene.backUp(disks[2]!.id)
  const found = (await scene.points(disks[2]!.id)).find(({ id }) => id === point.id)
  expect(found?.disk.attachment).toBeUndefined()
})

describe('a swap', () => {
  const swap = (disk: string, withId: string) => cli('restore', 'swap', '--vm', vmId, '--disk', disk, '--with', withId)
  async function restoredBeside(index: number): Promise<string> {
    const toDiskId = disks[index]!.id.replace('/source/', '/beside/').concat(`-${Math.round(performance.now())}`)
    await scene.restore({ diskId: disks[index]!.id, toDiskId, region: SOURCE_REGION })
    return toDiskId
  }

  test('of a data disk keeps its place and the old disk, and is found done the second time', async () => {
    const fresh = await restoredBeside(1)
    expect(await swap('web-data', fresh)).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('is kept') })
    const { disks: now } = await getVm(scene.clients, vmId)
    expect(now.find(({ lun }) => lun === 3)).toMatchObject({ diskId: fresh, caching: 'None' })
    expect(await findDisk(scene.clients, disks[1]!.id)).toMatchObject({ state: 'Unattached' })
    expect(await swap('web-data', fresh)).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('already') })
  }, 120_000)

  test('of a data disk that is broken off between its two steps is finished by the same command', async () => {
    const before = (await getVm(scene.clients, vmId)).disks.find(({ lun }) => lun === 7)!
    const fresh = await restoredBeside(2)
    const rule = scene.azure.faults.add({ operation: 'VirtualMachines_Update', nth: 2, effect: { kind: 'status', status: 409, code: 'AttachDiskWhileBeingDetached' } })
    const broken = await swap(before.name, fresh)
    scene.azure.faults.remove(rule)
    expect(broken).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('the same command again') })
    expect((await getVm(scene.clients, vmId)).disks.map(({ lun }) => lun)).toEqual([undefined, 3])
    expect(await swap(before.name, fresh)).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(`${before.diskId} is kept`) })
    const { disks: now, tags } = await getVm(scene.clients, vmId)
    expect(now.find(({ lun }) => lun === 7)).toMatchObject({ diskId: fresh, caching: 'ReadOnly' })
    expect(tags).toEqual({ tier: 'web' })
    expect(await findDisk(scene.clients, before.diskId)).toMatchObject({ state: 'Unattached' })
    expect(await swap(fresh, before.diskId)).toMatchObject({ exitCode: 0 })
  }, 120_000)

  test('of the OS disk is refused while the machine runs, and done when it is deallocated', async () => {
    const fresh = await restoredBeside(0)
    expect(await swap('web-os', fresh)).toMatchObject({ exitCode: 7, stderr: expect.stringContaining('az vm deallocate') })
    await compute().virtualMachines.deallocate('source', 'web')
    expect(await swap('web-os', fresh)).toMatchObject({ exitCode: 0 })
    const [os, ...data] = (await getVm(scene.clients, vmId)).disks
    expect(os).toMatchObject({ diskId: fresh, role: 'os', osType: 'Linux', caching: 'ReadWrite' })
    expect(data).toHaveLength(2)
    await compute().virtualMachines.start('source', 'web')
  }, 120_000)

  test.each([
    ['a disk that it does not have', 'nothing', () => disks[0]!.id, 4, 'has no disk nothing'],
    ['a disk that is not there', 'web-log', () => `${disks[0]!.id}-missing`, 7, 'it is not there'],
    ['a disk of another region', 'web-log', () => made('web-data', '-two'), 7, `it is in ${TARGET_REGION}`],
  ])('is refused with %s', async (_what, disk, withId, exitCode, words) => {
    expect(await swap(disk, withId())).toMatchObject({ exitCode, stderr: expect.stringContaining(words) })
  })

  test('is refused with a disk that was not compared', async () => {
    await compute().disks.createOrUpdate('beside', 'unchecked', {
      location: SOURCE_REGION,
      diskSizeGB: 1,
      creationData: { createOption: 'Empty' },
      tags: { 'snapferry-check': 'pending' },
    })
    const unchecked = disks[0]!.id.replace(/source\/(.*)\/[^/]+$/, 'beside/$1/unchecked')
    expect(await swap('web-log', unchecked)).toMatchObject({ exitCode: 7, stderr: expect.stringContaining('snapferry-check') })
  })
})
