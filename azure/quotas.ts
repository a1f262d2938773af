/** The quotas of a subscription in a region, as Azure Compute shows them (Usage, List). */
import { quotaOf, type QuotaUsage } from '../domain/disk-quota.ts'
import { abortable, callArm } from './arm-call.ts'
import type { AzureClients } from './clients.ts'

/** @returns undefined where Azure shows none for such disks. @throws BackupError AccessDenied | SourceDiskNotFound */
export async function diskQuota(
  azure: AzureClients,
  { subscriptionId, region, sku }: { subscriptionId: string; region: string; sku: string | undefined },
  signal?: AbortSignal,
): Promise<QuotaUsage | undefined> {
  const context = {
    doing: 'read the quotas of',
    on: `region ${region} in subscription ${subscriptionId}`,
    notFound: 'SourceDiskNotFound',
    action: 'Microsoft.Compute/locations/usages/read',
  } as const
  const usages = await callArm(context, signal, async () => {
    const found: QuotaUsage[] = []
    for await (const { name, currentValue, limit } of azure.compute(subscriptionId).usage.list(region, abortable(signal))) {
      found.push({ name: name.value ?? '', used: currentValue, limit })
    }
    return found
  })
  return quotaOf(sku, usages)
}
