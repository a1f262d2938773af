/**
 * What a restore uses that Azure bills, and what that costs by prices that somebody has set. No price is built in: they differ by
 * region, redundancy and contract, and a figure that is out of date is worse than none.
 */
import { GIB } from './byte-range.ts'

/** Of snapferry.yaml; what is not set is not priced. */
export interface Prices {
  readonly currency?: string
  /** Bandwidth between regions, a GiB. */
  readonly egressPerGib?: number
  /** Read operations of the storage account, ten thousand. */
  readonly readsPer10k?: number
  /** The disk (or snapshot) that is made, a GiB and month of its size. */
  readonly diskPerGibMonth?: number
}

export interface Usage {
  /** Bytes that leave the region of the storage account; 0 where nothing does. */
  readonly egressBytes: number
  readonly readRequests: number
  readonly diskBytes: number
}

export interface CostItem {
  readonly name: keyof Omit<Prices, 'currency'>
  /** In the unit of its price. */
  readonly quantity: number
  readonly unit: string
  /** Absent: no price is set. */
  readonly amount?: number
}

export interface RestoreCost {
  readonly currency: string
  readonly items: readonly CostItem[]
  /** Once, for the restore itself, of the items that have a price. */
  readonly once: number
  /** Each month as long as the disk is kept. */
  readonly perMonth: number
}

export function costOf({ egressBytes, readRequests, diskBytes }: Usage, prices: Prices = {}): RestoreCost {
  const item = (name: CostItem['name'], quantity: number, unit: string): CostItem => {
    const price = prices[name]
    return { name, quantity, unit, ...(price !== undefined && { amount: quantity * price }) }
  }
  const egress = item('egressPerGib', egressBytes / GIB, 'GiB between regions')
  const reads = item('readsPer10k', readRequests / 10_000, 'x 10,000 reads')
  const disk = item('diskPerGibMonth', Math.ceil(diskBytes / GIB), 'GiB of disk a month')
  return {
    currency: prices.currency ?? '',
    items: [egress, reads, disk],
    once: (egress.amount ?? 0) + (reads.amount ?? 0),
    perMonth: disk.amount ?? 0,
  }
}
