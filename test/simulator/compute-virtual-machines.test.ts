import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { ComputeManagementClient, VirtualMachine } from '@azure/arm-compute'
import type { LocalAzure } from '../../simulator/azure.ts'
import { callResourceManager, computeClient, refusalOf, startForTests } from './local-azure-support.ts'

const GROUP = 'vms-rg'

let azure: LocalAzure
let client: ComputeManagementClient
let names = 0
beforeAll(async () => {
  azure = await startForTests()
  client = computeClient(azure)
  azure.createResourceGroup({ name: GROUP })
})
afterAll(() => azure.close())

const aDisk = (more: Partial<Parameters<LocalAzure['createDisk']>[0]> = {}): string =>
  azure.createDisk({ name: `disk-${names++}`, resourceGroup: GROUP, sizeGib: 1, ...more }).id
const nameIn = (id: string): string => id.split('/').at(-1) ?? ''
const diskAt = (id: string) => client.disks.get(GROUP, nameIn(id))

function bodyOf(osDiskId: string, dataDiskIds: readonly string[] = []): VirtualMachine {
  return {
    location: 'westeurope',
    hardwareProfile: { vmSize: 'Standard_D2s_v5' },
    storageProfile: {
      osDisk: { createOption: 'Attach', osType: 'Linux', managedDisk: { id: osDiskId } },
      dataDisks: dataDiskIds.map((id, lun) => ({ lun, createOption: 'Attach', managedDisk: { id } })),
    },
  }
}

async function aVm(osDiskId: string, dataDiskIds: readonly string[] = [], more: Partial<VirtualMachine> = {}) {
  const name = `vm-${names++}`
  return client.virtualMachines.createOrUpdate(GROUP, name, { ...bodyOf(osDiskId, dataDiskIds), ...more })
}

describe('a virtual machine', () => {
  test('shows its disks, and they show it', async () => {
    const [os, data] = [aDisk(), aDisk()]
    const vm = await aVm(os, [data], { tags: { tier: 'gold' }, zones: ['1'] })
    expect(vm).toMatchObject({
      tags: { tier: 'gold' },
      zones: ['1'],
      provisioningState: 'Succeeded',
      hardwareProfile: { vmSize: 'Standard_D2s_v5' },
      storageProfile: {
        osDisk: { osType: 'Linux', managedDisk: { id: os, storageAccountType: 'Premium_LRS' } },
        dataDisks: [{ lun: 0, managedDisk: { id: data } }],
      },
    })
    expect(vm.vmId).toMatch(/^[0-9a-f-]{36}$/)
    expect(await diskAt(data)).toMatchObject({ managedBy: vm.id, diskState: 'Attached' })
    const listed = []
    for await (const { id } of client.virtualMachines.list(GROUP)) listed.push(id)
    expect(listed).toContain(vm.id)
  })

  test('keeps its disks reserved while it is deallocated, and they can be exported', async () => {
    const os = aDisk()
    const { name = '' } = await aVm(os)
    const read = { access: 'Read', durationInSeconds: 600 } as const
    expect(await refusalOf(client.disks.grantAccess(GROUP, nameIn(os), read))).toMatchObject({ status: 409 })
    await client.virtualMachines.deallocate(GROUP, name)
    expect((await diskAt(os)).diskState).toBe('Reserved')
    const view = await client.virtualMachines.instanceView(GROUP, name)
    expect(view.statuses?.map(({ code }) => code)).toContain('PowerState/deallocated')
    await client.disks.grantAccess(GROUP, nameIn(os), read)
    expect((await diskAt(os)).diskState).toBe('ActiveSAS')
    await client.disks.revokeAccess(GROUP, nameIn(os))
    await client.virtualMachines.start(GROUP, name)
    expect((await diskAt(os)).diskState).toBe('Attached')
  })

  test('can be snapshotted disk by disk while it runs', async () => {
    const os = aDisk()
    await aVm(os)
    const creationData = { createOption: 'Copy', sourceResourceId: os }
    const body = { location: 'westeurope', incremental: true, creationData }
    expect((await client.snapshots.createOrUpdate(GROUP, 'running', body)).provisioningState).toBe('Succeeded')
  })

  test('attaches and detaches by a PUT of its whole model', async () => {
    const [os, one, two] = [aDisk(), aDisk(), aDisk()]
    const { name = '' } = await aVm(os, [one])
    await client.virtualMachines.createOrUpdate(GROUP, name, bodyOf(os))
    const changed = await client.virtualMachines.createOrUpdate(GROUP, name, bodyOf(os, [two]))
    expect(changed.storageProfile?.dataDisks?.map(({ managedDisk }) => managedDisk?.id)).toEqual([two])
    expect((await diskAt(one)).managedBy).toBeUndefined()
    expect((await diskAt(one)).diskState).toBe('Unattached')
    expect((await diskAt(two)).managedBy).toBeDefined()
  })

  test('does not exchange a data disk at its LUN in one step; its OS disk it does', async () => {
    const [os, one, two] = [aDisk(), aDisk(), aDisk()]
    const { name = '' } = await aVm(os, [one])
    for (const storageProfile of [bodyOf(os, [two]).storageProfile!, { dataDisks: bodyOf(os, [two]).storageProfile!.dataDisks! }]) {
      const refusal = await refusalOf(client.virtualMachines.update(GROUP, name, { storageProfile }))
      expect(refusal).toMatchObject({ status: 409, code: 'PropertyChangeNotAllowed' })
      expect(refusal.message).toContain("'dataDisk.managedDisk.id'")
    }
    expect((await diskAt(one)).managedBy).toBeDefined()
    await client.virtualMachines.deallocate(GROUP, name)
    const { storageProfile } = await client.virtualMachines.update(GROUP, name, { storageProfile: bodyOf(two, [one]).storageProfile! })
    expect(storageProfile?.osDisk?.managedDisk?.id).toBe(two)
  })

  test('attaches and detaches by id', async () => {
    const [os, one, two] = [aDisk(), aDisk(), aDisk()]
    const { name = '' } = await aVm(os, [one])
    await client.virtualMachines.attachDetachDataDisks(GROUP, name, {
      dataDisksToAttach: [{ diskId: two }],
      dataDisksToDetach: [{ diskId: one }],
    })
    const { storageProfile } = await client.virtualMachines.get(GROUP, name)
    expect(storageProfile?.dataDisks).toMatchObject([{ lun: 0, managedDisk: { id: two } }])
    expect((await diskAt(one)).managedBy).toBeUndefined()
  })

  test('makes the empty data disks that it is asked for, and takes those along that are to go with it', async () => {
    const [os, kept] = [aDisk(), aDisk()]
    const body = bodyOf(os, [kept])
    body.storageProfile?.dataDisks?.push({
      lun: 5,
      name: 'scratch',
      createOption: 'Empty',
      diskSizeGB: 2,
      deleteOption: 'Delete',
      managedDisk: { storageAccountType: 'StandardSSD_LRS' },
    })
    const { name = '' } = await client.virtualMachines.createOrUpdate(GROUP, 'with-scratch', body)
    expect(await client.disks.get(GROUP, 'scratch')).toMatchObject({ diskSizeGB: 2, sku: { name: 'StandardSSD_LRS' } })
    await client.virtualMachines.delete(GROUP, name)
    expect(await refusalOf(client.disks.get(GROUP, 'scratch'))).toMatchObject({ status: 404 })
    expect(await diskAt(kept)).toMatchObject({ diskState: 'Unattached' })
    expect(await refusalOf(client.virtualMachines.get(GROUP, name))).toMatchObject({ status: 404 })
    await client.virtualMachines.delete(GROUP, name)
  })

  test('changes its tags by PATCH', async () => {
    const { name = '' } = await aVm(aDisk())
    const changed = await client.virtualMachines.update(GROUP, name, { tags: { a: 'b' } })
    expect(changed.tags).toEqual({ a: 'b' })
    expect(changed.storageProfile?.osDisk).toBeDefined()
  })
})

describe('a disk', () => {
  test('of a virtual machine can be given to no other, and not be deleted', async () => {
    const os = aDisk()
    await aVm(os)
    const refusal = await refusalOf(aVm(os))
    expect(refusal).toMatchObject({ status: 409, code: 'ConflictingUserInput' })
    expect(refusal.message).toContain('already owned by VM')
    expect(await refusalOf(client.disks.delete(GROUP, nameIn(os)))).toMatchObject({ status: 409 })
  })

  test('that is shared can be given to two, and stays with the other when one is gone', async () => {
    const shared = aDisk({ properties: { maxShares: 2 } })
    const first = await aVm(aDisk(), [shared])
    const second = await aVm(aDisk(), [shared])
    await client.virtualMachines.delete(GROUP, second.name ?? '')
    expect((await diskAt(shared)).managedBy).toBe(first.id)
    await client.virtualMachines.delete(GROUP, first.name ?? '')
    expect((await diskAt(shared)).managedBy).toBeUndefined()
  })

  test('with a SAS out, of another region or that is none cannot be attached', async () => {
    const exported = aDisk()
    await client.disks.grantAccess(GROUP, nameIn(exported), { access: 'Read', durationInSeconds: 600 })
    expect(await refusalOf(aVm(exported))).toMatchObject({ status: 409, code: 'OperationNotAllowed' })
    const elsewhere = aDisk({ location: 'northeurope' })
    expect(await refusalOf(aVm(elsewhere))).toMatchObject({ status: 400, code: 'InvalidParameter' })
    expect(await refusalOf(aVm(`${aDisk()}-x`))).toMatchObject({ status: 404 })
    const [os, data] = [aDisk(), aDisk()]
    const twice = bodyOf(os, [data])
    twice.storageProfile?.dataDisks?.push({ lun: 0, createOption: 'Attach', managedDisk: { id: aDisk() } })
    expect(await refusalOf(client.virtualMachines.createOrUpdate(GROUP, 'twice', twice))).toMatchObject({ status: 400 })
    expect((await diskAt(os)).managedBy).toBeUndefined()
  })
})

test('a virtual machine from an image is refused as a limit of the local Azure', async () => {
  const body: VirtualMachine = { ...bodyOf(aDisk()), storageProfile: { osDisk: { createOption: 'FromImage' } } }
  expect(await refusalOf(client.virtualMachines.createOrUpdate(GROUP, 'image', body))).toMatchObject({
    code: 'NotSupportedByLocalAzure',
  })
})

test('the operation of a virtual machine is polled where Azure has it', async () => {
  const { id = '' } = await aVm(aDisk())
  const accepted = await callResourceManager(azure, 'POST', `${id}/deallocate?api-version=2025-01-02`)
  expect(accepted.status).toBe(202)
  expect(accepted.headers.get('azure-asyncoperation')).toMatch(
    /\/providers\/Microsoft\.Compute\/locations\/westeurope\/operations\/[0-9a-f-]{36}\?/,
  )
})
