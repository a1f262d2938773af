import { describe, expect, test } from '@jest/globals'
import { isFailure } from '../../domain/failures.ts'
import { decodeManifest, encodeManifest, MANIFEST_FORMAT, type AnyManifest, type Manifest } from '../../domain/manifest.ts'
import type { DiskShape } from '../../domain/source-disk.ts'
import { aManifest } from './support/builders.ts'

/** `Required` makes this fail to compile when a shape gains a field that this test does not have. */
const wholeShape: Required<{ [Key in keyof DiskShape]: Required<DiskShape>[Key] }> = {
  sku: 'Premium_LRS',
  zones: ['1'],
  osType: 'Linux',
  hyperVGeneration: 'V2',
  architecture: 'Arm64',
  securityType: 'TrustedLaunch',
  diskControllerTypes: 'SCSI, NVMe',
  supportsHibernation: true,
  acceleratedNetwork: false,
  logicalSectorBytes: 512,
  purchasePlan: { name: 'plan', publisher: 'publisher', product: 'product', promotionCode: 'spring' },
  dataAccessAuthMode: 'AzureActiveDirectory',
  performance: {
    tier: 'P50',
    diskIopsReadWrite: 5000,
    diskMBpsReadWrite: 300,
    diskIopsReadOnly: 900,
    diskMBpsReadOnly: 90,
    maxShares: 2,
    burstingEnabled: true,
  },
  encryption: { type: 'EncryptionAtRestWithCustomerKey', diskEncryptionSetId: '/subscriptions/s/…/diskEncryptionSets/e' },
  encryptionSettingsCollection: {
    enabled: true,
    encryptionSettings: [
      {
        diskEncryptionKey: { sourceVault: { id: '/subscriptions/s/…/vaults/v' }, secretUrl: 'https://v.vault.azure.net/secrets/s/1' },
        keyEncryptionKey: { sourceVault: {}, keyUrl: 'https://v.vault.azure.net/keys/k/1' },
      },
    ],
    encryptionSettingsVersion: '1.1',
  },
  tags: { 'cost centre': 'größer' },
}

function read(text: string): { manifest?: AnyManifest; failure?: string; message?: string } {
  try {
    return { manifest: decodeManifest('points/p.json', text) }
  } catch (error) {
    return isFailure(error) ? { failure: error.type, message: error.message } : { failure: String(error) }
  }
}

const changed = (change: Record<string, unknown>) => read(JSON.stringify({ ...aManifest(), ...change }))

describe('what was written is read again', () => {
  const { familyId: _none, ...familyless } = aManifest().source

  test.each<[string, Manifest]>([
    ['a usual manifest', aManifest()],
    ['a reseed', aManifest({ kind: 'reseed', reseedCause: 'FamilyChanged' })],
    ['a source of no family', aManifest({ source: familyless })],
  ])('%s', (_what, manifest) => {
    expect(decodeManifest('points/p.json', encodeManifest(manifest))).toEqual(manifest)
  })

  test('every field that a disk needs to become the same disk again', () => {
    const network = { networkAccessPolicy: 'AllowPrivate', diskAccessId: '/subscriptions/s/…/diskAccesses/a', publicNetworkAccess: 'Disabled' }
    const manifest = aManifest({ disk: { ...aManifest().disk, shape: wholeShape, network } })
    expect(decodeManifest('points/p.json', encodeManifest(manifest)).disk).toEqual(manifest.disk)
  })
})

test('a person can read it: indented JSON with a newline at its end', () => {
  expect(encodeManifest(aManifest())).toMatch(/^\{\n {2}"format": 1,\n[^]*\}\n$/)
})

test('fields that this release does not know are passed over', () => {
  const { disk } = aManifest()
  expect(
    changed({ addedLater: { deep: true }, disk: { ...disk, addedLater: 1, shape: { ...disk.shape, addedLater: 1 } } })
      .manifest,
  ).toEqual(aManifest())
})

test('a newer format is refused, even where its fields have changed', () => {
  const { failure, message } = read(JSON.stringify({ format: MANIFEST_FORMAT + 1, everything: 'else' }))
  expect(failure).toBe('FormatNotSupported')
  expect(message).toContain('upgrade snapferry')
})

test.each<[string, () => ReturnType<typeof read>]>([
  ['no JSON', () => read('<html>')],
  ['half a file', () => read(encodeManifest(aManifest()).slice(0, 200))],
  ['nothing', () => read('')],
  ['JSON that is no object', () => read('null')],
  ['no format', () => changed({ format: undefined })],
  ['a format that is a text', () => changed({ format: '1' })],
  ['no blob snapshot', () => changed({ baseBlob: { name: 'base.vhd', sizeBytes: 1 } })],
  ['a negative size', () => changed({ sizeBytes: -1 })],
  ['half a byte', () => changed({ movedBytes: 0.5 })],
  ['an instant that is none', () => changed({ takenAt: 'yesterday' })],
  [
    'a verification that did not pass',
    () => changed({ verification: { ...aManifest().verification, result: 'skipped' } }),
  ],
])('a manifest with %s is a damaged point, named by its blob', (_what, readIt) => {
  const { failure, message } = readIt()
  expect(failure).toBe('PointDamaged')
  expect(message).toContain('points/p.json')
})

test('a manifest that could not be read again is not written', () => {
  expect(() => encodeManifest(aManifest({ takenAt: 'yesterday' }))).toThrow()
  expect(() => encodeManifest(aManifest({ movedBytes: Number.NaN }))).toThrow()
})
