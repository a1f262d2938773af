import { describe, expect, test } from '@jest/globals'
import { sourceDiskOf } from '../../azure/disk-model.ts'
import { withoutNulls } from '../../azure/plain.ts'
import { snapshotStatusOf } from '../../azure/snapshot-model.ts'

const DONE = { uniqueId: 'u', timeCreated: new Date(0), provisioningState: 'Succeeded', completionPercent: 100, creationData: { createOption: 'Copy' }, location: 'westeurope' }

describe('a snapshot', () => {
  test.each([
    [undefined, true],
    ['Unknown', true],
    ['Available', true],
    ['AvailableWithInstantAccess', true],
    ['Pending', false],
    ['InstantAccess', false],
  ])('of access state %s is readable: %s', (snapshotAccessState, isReadable) => {
    expect(snapshotStatusOf('s', { ...DONE, ...(snapshotAccessState !== undefined && { snapshotAccessState }) })).toMatchObject({ isReadable })
  })
})

test('fields that are null say as little as those that are left out', () => {
  const plain = { id: '/d', name: 'd', uniqueId: 'u', location: 'westeurope', diskSizeGB: 1, creationData: { createOption: 'Empty' }, timeCreated: new Date(0) }
  const nulls = { managedBy: null, encryption: null, purchasePlan: null, osType: null, supportsHibernation: null, networkAccessPolicy: null, diskAccessId: null, tags: null, zones: null, sku: { name: 'Premium_LRS', tier: null } }
  const answer: unknown = withoutNulls({ ...plain, ...nulls })
  expect(answer).toEqual({ ...plain, sku: { name: 'Premium_LRS' } })
  expect(sourceDiskOf('/d', answer as typeof plain)).toMatchObject({ isUnattached: true, shape: { sku: 'Premium_LRS' } })
})
