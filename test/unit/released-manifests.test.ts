import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { decodeManifest, isCopied, MANIFEST_FORMAT, pointBlobsOf } from '../../domain/manifest.ts'
import { stripeSizes } from '../../domain/stripes.ts'

const FOLDER = new URL('../manifests/', import.meta.url)
const released = readdirSync(FOLDER).filter((name) => name.endsWith('.json'))

test('every format up to the present one has a sample', () => {
  const wanted = Array.from({ length: MANIFEST_FORMAT }, (_, index) => `v${index + 1}`)
  expect([...new Set(released.map((name) => name.replace(/[-.].*/, '')))].toSorted()).toEqual(wanted)
})

test.each(released)('%s is read with everything that a restore needs', (name) => {
  const manifest = decodeManifest(name, readFileSync(new URL(name, FOLDER), 'utf8'))
  expect(manifest).toMatchObject({
    id: expect.stringMatching(/^20261122T101500Z-/),
    takenAt: '2026-11-22T10:15:02.123Z',
    sizeBytes: 1024 ** 3,
    disk: {
      location: 'westeurope',
      shape: { sku: 'Premium_LRS', zones: ['1'], osType: 'Linux', hyperVGeneration: 'V2', logicalSectorBytes: 512 },
    },
  })
  if (isCopied(manifest)) {
    expect(manifest.copiedSnapshot).toMatchObject({ location: 'northeurope', uniqueId: '77d5b1f2-6f0a-4a55-9d5f-0a3f1c2b4d5e' })
  } else {
    expect(manifest.baseBlob.snapshot).toBe('2026-11-22T10:17:29.1234567Z')
    const blobs = pointBlobsOf(manifest)
    const striping = { count: blobs.length, unitBytes: manifest.stripes?.unitBytes ?? 0 }
    expect(blobs.map(({ sizeBytes }) => sizeBytes)).toEqual(stripeSizes(striping, 1024 ** 3 + 512))
  }
})
