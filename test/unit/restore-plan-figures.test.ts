/** What a restore plan reckons: costs by prices that are set, and the quota that a disk counts to. */
import { expect, test } from '@jest/globals'
import { bicepOf, storageProfileOf } from '../../domain/attachment.ts'
import { GIB } from '../../domain/byte-range.ts'
import { quotaOf } from '../../domain/disk-quota.ts'
import { costOf } from '../../domain/restore-cost.ts'

const USAGE = { egressBytes: 10 * GIB, readRequests: 20_000, diskBytes: 64 * GIB }

test('what has a price is summed, what has none is left as a quantity', () => {
  const { once, perMonth, items } = costOf(USAGE, { egressPerGib: 0.5, diskPerGibMonth: 0.25, currency: 'EUR' })
  expect({ once, perMonth }).toEqual({ once: 5, perMonth: 16 })
  expect(items.map(({ name, amount }) => [name, amount])).toEqual([['egressPerGib', 5], ['readsPer10k', undefined], ['diskPerGibMonth', 16]])
})

test('without prices nothing is invented', () => {
  expect(costOf(USAGE)).toMatchObject({ once: 0, perMonth: 0, items: [{ quantity: 10 }, { quantity: 2 }, { quantity: 64 }] })
})

test.each([
  ['Premium_LRS', 'PremiumDiskCount'],
  ['StandardSSD_ZRS', 'StandardSSDDiskCount'],
  [undefined, 'StandardDiskCount'],
  ['Quantum_LRS', undefined],
])('a disk of SKU %s counts to %s', (sku, name) => {
  const usages = ['PremiumDiskCount', 'StandardSSDDiskCount', 'StandardDiskCount'].map((count) => ({ name: count, used: 1, limit: 2 }))
  expect(quotaOf(sku, usages)?.name).toBe(name)
})

test('a disk of which nothing is known, or whose LUN another one has, gets a LUN that no other has', () => {
  const data = (lun: number) => ({ vmId: 'vm', role: 'data', lun }) as const
  const { dataDisks } = storageProfileOf([{ resourceId: 'a', attachment: data(0) }, { resourceId: 'b' }, { resourceId: 'c', attachment: data(1) }, { resourceId: 'd', attachment: data(0) }])
  expect(dataDisks.map(({ lun }) => lun)).toEqual([0, 1, 2, 3])
})

test('text in Bicep is quoted', () => {
  expect(bicepOf({ dataDisks: [{ name: "it's ${x}" }] })).toContain("name: 'it\\'s \\${x}'")
})
