/** Whether the snapshots that points were copied to are still there: one listing for each resource group. */
import { parseArmId } from '../domain/arm-id.ts'
import { isFailure } from '../domain/failures.ts'
import type { CopiedManifest } from '../domain/manifest.ts'
import type { AzureClients } from './clients.ts'
import { listSnapshots } from './snapshots.ts'

type CopiedSnapshot = CopiedManifest['copiedSnapshot']

/**
 * Answers why a copied snapshot is gone; undefined where it is there, or where nobody can say: who lists points needs rights
 * on the target alone.
 */
export function copiedSnapshotFinder(
  azure: AzureClients,
  signal?: AbortSignal,
): (copy: CopiedSnapshot) => Promise<string | undefined> {
  const listed = new Map<string, Promise<ReadonlyMap<string, string> | undefined>>()
  const list = async (scope: { subscriptionId: string; resourceGroup: string }) => {
    const found = new Map<string, string>()
    try {
      for await (const { id, uniqueId } of listSnapshots(azure, scope, signal)) found.set(id.toLowerCase(), uniqueId)
      return found
    } catch (error) {
      if (isFailure(error, 'AccessDenied', 'NotSignedIn', 'AzureUnavailable', 'AzureThrottled')) return undefined
      throw error
    }
  }
  return async ({ id, uniqueId }) => {
    const { subscriptionId, resourceGroup } = parseArmId(id, 'snapshots')
    const key = `${subscriptionId}/${resourceGroup}`.toLowerCase()
    const snapshots = listed.get(key) ?? list({ subscriptionId, resourceGroup })
    listed.set(key, snapshots)
    const found = (await snapshots)?.get(id.toLowerCase())
    if ((await snapshots) === undefined || found?.toLowerCase() === uniqueId.toLowerCase()) return undefined
    return found === undefined ? `snapshot ${id} is gone` : `another snapshot stands under the name ${id}`
  }
}
