/** Which of the quotas that Azure shows for a region a new disk counts to, and whether it still fits. */

export interface QuotaUsage {
  /** Such as `PremiumDiskCount`. */
  readonly name: string
  readonly used: number
  readonly limit: number
}

/** The names that Azure gives the counts of managed disks, by the family of their SKU. */
const COUNTS: Readonly<Record<string, string>> = {
  premium: 'PremiumDiskCount',
  premiumv2: 'PremiumV2DiskCount',
  standardssd: 'StandardSSDDiskCount',
  standard: 'StandardDiskCount',
  ultrassd: 'UltraSSDDiskCount',
}

/** The one of its SKU; undefined where Azure shows none of that name. */
export function quotaOf(sku: string | undefined, usages: readonly QuotaUsage[]): QuotaUsage | undefined {
  const [family = ''] = (sku ?? 'Standard_LRS').toLowerCase().split('_')
  const wanted = COUNTS[family]?.toLowerCase()
  return usages.find(({ name }) => name.toLowerCase() === wanted)
}
