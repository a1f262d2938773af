/** Which disks a virtual machine had, by the word of their points: none is left out silently, and none is taken that another has replaced. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals'
import { getVm } from '../../azure/virtual-machines.ts'
import type { BackupOptions } from '../../domain/policy.ts'
import { planGroup } from '../../engine/plan-group.ts'
import { DEFAULT_PRINCIPAL } from '../../simulator/azure.ts'
import { openScene, SOURCE_REGION, TARGET_REGION, type Scene } from '../support/scene.ts'

const COPIED: Partial<BackupOptions> = { copyStart: { resourceGroup: 'copies', region: TARGET_REGION } }

let scene: Scene
beforeAll(async () => {
  scene = await openScene()
  scene.azure.createResourceGroup({ name: 'copies', location: TARGET_REGION })
})
afterAll(() => scene?.close())
afterEach(() => scene.azure.assignRoles(DEFAULT_PRINCIPAL, [{ actions: ['*'] }]))

interface Attached {
  readonly os?: string
  /** By LUN. */
  readonly data?: Readonly<Record<number, string>>
}

/** Makes the machine, or gives it other disks. */
async function attach(vm: string, { os, data = {} }: Attached): Promise<string> {
  const attached = (id: string) => ({ createOption: 'Attach', managedDisk: { id } }) as const
  const { id = '' } = await scene.clients.compute(scene.azure.subscriptionId).virtualMachines.createOrUpdate('source', vm, {
    location: SOURCE_REGION,
    storageProfile: {
      ...(os !== undefined && { osDisk: { ...attached(os), osType: 'Linux' } }),
      dataDisks: Object.entries(data).map(([lun, diskId]) => ({ ...attached(diskId), lun: Number(lun) })),
    },
  })
  return id
}

/** Disks by name, with how they are attached, and what the plan says of it. */
async function planned(vmId: string, at?: string) {
  const { members, notes } = await planGroup(scene.engine, {
    targetUrl: scene.targetUrl,
    vmId,
    ...(at !== undefined && { at }),
    toResourceGroup: 'restored',
    suffix: '',
    isPartial: false,
  })
  const nameOf = (diskId: string): string => diskId.slice(diskId.lastIndexOf('/') + 1)
  return { disks: Object.fromEntries(members.map(({ diskId, attachment }) => [nameOf(diskId), attachment?.lun ?? attachment?.role])), notes }
}

test.each([
  ['throttled', 1, { kind: 'status', status: 429 }],
  // By the SDK's own retries as well.
  ['not answered', 4, { kind: 'reset', when: 'before' }],
] as const)('a disk is in the group although a read of the machine was %s while it was backed up', async (what, times, effect) => {
  const diskId = scene.createDisk(1)
  const vmId = await attach(`read-${what.replace(' ', '-')}`, { os: scene.createDisk(1), data: { 2: diskId } })
  const rule = scene.azure.faults.add({ operation: 'VirtualMachines_Get', resource: vmId, times, effect })
  await scene.backUp(diskId)
  scene.azure.faults.remove(rule)
  expect(Object.values((await planned(vmId)).disks)).toEqual([2])
}, 120_000)

test('disks whose points Azure copied are in the group, alone and after points of the other engine', async () => {
  const [alone, both] = [scene.createDisk(1, 'copied-alone'), scene.createDisk(1, 'copied-later')]
  const vmId = await attach('copied', { os: scene.createDisk(1), data: { 1: alone, 4: both } })
  await scene.backUp(alone, COPIED)
  await scene.backUp(both)
  await scene.backUp(both, COPIED)
  expect(await planned(vmId)).toEqual({ disks: { 'copied-alone': 1, 'copied-later': 4 }, notes: [] })
}, 120_000)

test('of a disk whose newest point does not tell, an older one is believed, and the plan says so', async () => {
  const diskId = scene.createDisk(1, 'untold')
  const vmId = await attach('told', { os: scene.createDisk(1), data: { 5: diskId } })
  const { point: older } = await scene.backUp(diskId)
  scene.azure.assignRoles(DEFAULT_PRINCIPAL, [{ actions: ['*'], notActions: ['Microsoft.Compute/virtualMachines/read'] }])
  const { point: newer } = await scene.backUp(diskId)
  expect(await planned(vmId)).toEqual({
    disks: { untold: 5 },
    notes: [expect.stringMatching(new RegExp(`${newer.id}.* does not tell.*${older.id}`))],
  })
}, 120_000)

test('a disk that was detached is in the group as long as it was attached, and no longer', async () => {
  const [kept, detached] = [scene.createDisk(1, 'kept'), scene.createDisk(1, 'detached')]
  const os = scene.createDisk(1)
  const vmId = await attach('detaches', { os, data: { 0: kept, 1: detached } })
  await scene.backUp(kept)
  const { point } = await scene.backUp(detached)
  await attach('detaches', { os, data: { 0: kept } })
  await scene.backUp(detached)
  expect(await planned(vmId)).toEqual({ disks: { kept: 0 }, notes: [] })
  expect(await planned(vmId, point.takenAt)).toEqual({ disks: { kept: 0, detached: 1 }, notes: [] })
}, 120_000)

test('of disks that had one place after each other the last is taken, and the plan names the others', async () => {
  const [oldOs, oldData, newOs, newData] = ['old-os', 'old-data', 'new-os', 'new-data'].map((name) => scene.createDisk(1, name)) as [string, string, string, string]
  const vmId = await attach('swapped', { os: oldOs, data: { 3: oldData } })
  await scene.backUp(oldOs)
  const { point } = await scene.backUp(oldData)
  await scene.clients.compute(scene.azure.subscriptionId).virtualMachines.deallocate('source', 'swapped')
  await attach('swapped', { os: newOs })
  await attach('swapped', { os: newOs, data: { 3: newData } })
  expect((await getVm(scene.clients, vmId)).disks.map(({ diskId }) => diskId)).toEqual([newOs, newData])
  await scene.backUp(newOs)
  await scene.backUp(newData)
  const { disks, notes } = await planned(vmId)
  expect(disks).toEqual({ 'new-os': 'os', 'new-data': 3 })
  expect([...notes].sort()).toEqual([
    expect.stringMatching(/old-data was LUN 3 .*new-data on .* left out/),
    expect.stringMatching(/old-os was the OS disk .*new-os on .* left out/),
  ])
  expect(await planned(vmId, point.takenAt)).toEqual({ disks: { 'old-os': 'os', 'old-data': 3 }, notes: [] })
}, 120_000)
