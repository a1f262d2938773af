import { expect, test } from '@jest/globals'
import { armIdOf, parseArmId, sameArmId } from '../../domain/arm-id.ts'
import { isFailure } from '../../domain/failures.ts'
import { DISK_ID } from './support/builders.ts'

test('an id is read in any case and kept as it was given', () => {
  expect(parseArmId(DISK_ID, 'disks')).toEqual({
    id: DISK_ID,
    subscriptionId: '5a7e',
    resourceGroup: 'Vaults',
    type: 'disks',
    name: 'Data_Disk.1',
  })
  expect(parseArmId(DISK_ID.toUpperCase(), 'disks')).toMatchObject({
    id: DISK_ID.toUpperCase(),
    type: 'disks',
    name: 'DATA_DISK.1',
  })
  expect(parseArmId(` ${DISK_ID}\n`, 'disks').id).toBe(DISK_ID)
})

test('an id that was put together reads as its parts', () => {
  const parts = { subscriptionId: '5a7e', resourceGroup: 'Größe (1)', type: 'snapshots', name: 'sf-1' } as const
  expect(parseArmId(armIdOf(parts).id, 'snapshots')).toEqual(armIdOf(parts))
})

test('ids are compared without case', () => {
  expect(sameArmId(DISK_ID, DISK_ID.toLowerCase())).toBe(true)
  expect(sameArmId(DISK_ID, `${DISK_ID}2`)).toBe(false)
})

test.each([
  ['nothing', ''],
  ['a name', 'Data_Disk.1'],
  ['a snapshot', DISK_ID.replace('/disks/', '/snapshots/')],
  ['a virtual machine', DISK_ID.replace('/disks/', '/virtualMachines/')],
  ['a disk of another provider', DISK_ID.replace('Microsoft.Compute', 'Microsoft.Storage')],
  ['something of a disk', `${DISK_ID}/beginGetAccess`],
  ['an id that ends with a slash', `${DISK_ID}/`],
  ['an id without a resource group', DISK_ID.replace('/resourceGroups/Vaults', '')],
  ['an id with an empty name', DISK_ID.replace('Data_Disk.1', '')],
  ['the URL of an id', `https://management.azure.com${DISK_ID}`],
])('%s is not the id of a disk', (_what, text) => {
  let failure: unknown
  try {
    parseArmId(text, 'disks')
  } catch (error) {
    failure = error
  }
  expect(isFailure(failure, 'InvalidResourceId')).toBe(true)
  expect(failure).toHaveProperty('message', expect.stringContaining('/disks/NAME'))
})
