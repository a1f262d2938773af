import { describe, expect, test } from '@jest/globals'
import { restoredDisk, type FormerDisk } from '../../domain/restored-disk.ts'
import type { RestoreRequest, RestoreWay } from '../../domain/restore-request.ts'
import type { DiskShape, NetworkAccess } from '../../domain/source-disk.ts'

const SET = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/diskEncryptionSets/home'
const OTHER_SET = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/diskEncryptionSets/away'
const ENCRYPTED = { encryption: { type: 'EncryptionAtRestWithPlatformAndCustomerKeys', diskEncryptionSetId: SET } }
const FAST = { sku: 'Premium_LRS', performance: { tier: 'P50', maxShares: 2 } }
const PRIVATE = { networkAccessPolicy: 'AllowPrivate', diskAccessId: '/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/diskAccesses/a' }
const CLOSED = { networkAccessPolicy: 'DenyAll', publicNetworkAccess: 'Disabled' }
const GUEST = {
  encryptionSettingsCollection: {
    enabled: true,
    encryptionSettings: [
      {
        diskEncryptionKey: { sourceVault: {}, secretUrl: 'https://v.vault.azure.net/secrets/bek/1' },
        keyEncryptionKey: { sourceVault: {}, keyUrl: 'https://v.vault.azure.net/keys/kek/1' },
      },
    ],
  },
}

function restored(former: Partial<DiskShape> & { readonly network?: NetworkAccess }, request: Partial<RestoreRequest> = {}, way: RestoreWay = 'upload') {
  const { network, ...shape } = former
  const disk: FormerDisk = { location: 'westeurope', shape: { logicalSectorBytes: 512, ...shape }, ...(network && { network }) }
  const toDiskId = request.toSnapshotId === undefined ? { toDiskId: '/subscriptions/S/resourceGroups/g/providers/Microsoft.Compute/disks/new' } : {}
  return restoredDisk(disk, { targetUrl: 't', region: 'West Europe', requestId: 'r', ...toDiskId, ...request }, way)
}

describe('a disk under a key of a customer', () => {
  test('comes back under a key of the platform, and the warning names the old set', () => {
    const { shape, warnings } = restored(ENCRYPTED)
    expect(shape).not.toHaveProperty('encryption')
    expect(warnings).toEqual([expect.stringMatching(new RegExp(`${SET}.*--disk-encryption-set`))])
  })

  test('comes back under the set that is named, with the type it had', () => {
    expect(restored(ENCRYPTED, { diskEncryptionSetId: OTHER_SET })).toMatchObject({
      shape: { encryption: { type: 'EncryptionAtRestWithPlatformAndCustomerKeys', diskEncryptionSetId: OTHER_SET } },
      warnings: [],
    })
  })

  test('gets no warning where Azure makes it of the snapshot of the same region, which has the key', () => {
    expect(restored(ENCRYPTED, {}, 'source-snapshot').warnings).toEqual([])
    expect(restored(ENCRYPTED, { region: 'northeurope' }, 'source-snapshot').warnings).toHaveLength(1)
  })
})

test('a disk that was under a key of the platform is made under the set that is named', () => {
  expect(restored({}, { diskEncryptionSetId: SET }).shape.encryption).toEqual({ type: 'EncryptionAtRestWithCustomerKey', diskEncryptionSetId: SET })
})

test('a point of a disk that only its guest state could read says so', () => {
  expect(restored({ securityType: 'TrustedLaunch' }).warnings).toEqual([expect.stringMatching(/TrustedLaunch.*carries no guest state.*Standard$/)])
  expect(restored({ securityType: 'ConfidentialVM_DiskEncryptedWithCustomerKey' }).warnings).toEqual([expect.stringMatching(/Standard, and its bytes cannot be read/)])
})

test('a disk that was encrypted from within comes back with the URLs of its keys in a warning', () => {
  const { shape, warnings } = restored(GUEST)
  expect(shape).not.toHaveProperty('encryptionSettingsCollection')
  expect(warnings).toEqual([expect.stringMatching(/secrets\/bek\/1 and .*keys\/kek\/1.*encryptionSettingsCollection/)])
})

describe('performance', () => {
  test('comes back with the SKU that it belongs to, in any region', () => {
    for (const request of [{}, { sku: 'premium_lrs' }, { region: 'northeurope' }]) {
      const { shape, settings, warnings } = restored(FAST, request)
      expect({ settings, warnings }).toEqual({ settings: { performance: FAST.performance }, warnings: [] })
      expect(shape).not.toHaveProperty('performance')
    }
  })

  test('is told of where another SKU is asked for', () => {
    expect(restored(FAST, { sku: 'StandardSSD_LRS' })).toMatchObject({ settings: {}, warnings: [expect.stringMatching(/tier P50, maxShares 2 as a Premium_LRS; a StandardSSD_LRS/)] })
  })
})

describe('network access', () => {
  const toSnapshotId = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/snapshots/new'

  test.each<[string, NetworkAccess, Partial<RestoreRequest>, NetworkAccess]>([
    ['of a disk for no network', { networkAccessPolicy: 'DenyAll' }, { region: 'northeurope' }, { networkAccessPolicy: 'DenyAll' }],
    ['of a disk that is not public', { publicNetworkAccess: 'Disabled' }, {}, { publicNetworkAccess: 'Disabled' }],
    ['by private endpoints of the same region', PRIVATE, {}, PRIVATE],
    ['of a snapshot of a disk for no network', { networkAccessPolicy: 'DenyAll' }, { toSnapshotId }, CLOSED],
  ])('%s comes back', (_what, network, request, expected) => {
    expect(restored({ network }, request)).toMatchObject({ settings: { network: expected }, warnings: [] })
  })

  test.each<[string, Partial<RestoreRequest>]>([
    ['in another region', { region: 'northeurope' }],
    ['in another subscription', { toDiskId: '/subscriptions/other/resourceGroups/g/providers/Microsoft.Compute/disks/new' }],
    ['in a snapshot', { toSnapshotId }],
  ])('by private endpoints becomes none %s, and the warning names them', (_where, request) => {
    expect(restored({ network: PRIVATE }, request)).toEqual({
      shape: expect.anything(),
      settings: { network: CLOSED },
      warnings: [expect.stringContaining(PRIVATE.diskAccessId)],
    })
  })
})

test('what a drill makes gets neither performance, which is billed, nor closed network access, as it is read', () => {
  expect(restored({ ...FAST, network: PRIVATE }, { isThrowAway: true })).toMatchObject({ settings: {}, warnings: [] })
})

test('a disk that was in a zone stays there in its region, unless another one or none is asked for', () => {
  expect(restored({ zones: ['1'] }).shape.zones).toEqual(['1'])
  expect(restored({ zones: ['1'] }, { zone: '2' }).shape.zones).toEqual(['2'])
  expect(restored({ zones: ['1'] }, { zone: 'none' })).toMatchObject({ shape: expect.not.objectContaining({ zones: expect.anything() }), warnings: [] })
  expect(restored({ zones: ['1'] }, { zone: 'none', region: 'northeurope' }).warnings).toEqual([])
})
