/** How fast a disk was made to be. What comes with its SKU and size is left out. */
import type { Disk } from '@azure/arm-compute'
import { GIB } from '../domain/byte-range.ts'
import type { DiskPerformance } from '../domain/source-disk.ts'
import { withoutUndefined } from './plain.ts'

/** Premium SSD tiers and the largest disk, in GiB, that has each of them by itself (learn.microsoft.com, disk types). */
const TIERS: readonly (readonly [tier: string, gib: number])[] = [
  ['P1', 4],
  ['P2', 8],
  ['P3', 16],
  ['P4', 32],
  ['P6', 64],
  ['P10', 128],
  ['P15', 256],
  ['P20', 512],
  ['P30', 1024],
  ['P40', 2048],
  ['P50', 4096],
  ['P60', 8192],
  ['P70', 16384],
  ['P80', 32767],
]

/** @returns undefined where it has what comes with it. */
export function performanceOf(disk: Disk, sizeBytes: number): DiskPerformance | undefined {
  const sku = disk.sku?.name ?? ''
  const ownTier = TIERS.find(([, gib]) => sizeBytes <= gib * GIB)?.[0]
  const { diskIopsReadWrite, diskMBpsReadWrite, diskIopsReadOnly, diskMBpsReadOnly } = disk
  const performance = withoutUndefined<DiskPerformance>({
    // Azure shows both of disks that cannot be given them, too.
    ...(/^premium_/i.test(sku) && disk.tier !== ownTier && { tier: disk.tier }),
    ...(isProvisioned(sku) && { diskIopsReadWrite, diskMBpsReadWrite, diskIopsReadOnly, diskMBpsReadOnly }),
    maxShares: disk.maxShares === 1 ? undefined : disk.maxShares,
    burstingEnabled: disk.burstingEnabled === true ? true : undefined,
  })
  return Object.keys(performance).length === 0 ? undefined : performance
}

/** Ultra Disk and Premium SSD v2: what they perform is asked for, whatever their size. */
export function isProvisioned(sku: string | undefined): boolean {
  return sku !== undefined && /^(ultrassd|premiumv2)/i.test(sku)
}
