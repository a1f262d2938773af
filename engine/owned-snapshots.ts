/**
 * The snapshots that runs of a disk and target made, wherever they lie: in the resource groups of those that are known, each once. A
 * policy may have changed its own since older points were made.
 */
import type { ListedSnapshot } from '../azure/snapshot-model.ts'
import { listSnapshots, type SnapshotScope } from '../azure/snapshots.ts'
import { parseArmId } from '../domain/arm-id.ts'
import { isSourceSnapshotOf, type SnapshotOwner } from '../domain/tags.ts'
import type { Engine } from './engine.ts'
import type { TryStep } from './try-steps.ts'

/** @param tryStep does the list of one resource group: one that may not be read any more must not keep what lies in the others. */
export async function listOwnedSnapshots(
  engine: Engine,
  owner: SnapshotOwner,
  knownIds: readonly string[],
  tryStep: TryStep,
  signal?: AbortSignal,
): Promise<ListedSnapshot[]> {
  const owned: ListedSnapshot[] = []
  for (const scope of scopesOf(knownIds)) {
    await tryStep(async () => {
      for await (const snapshot of listSnapshots(engine.azure, scope, signal)) if (isSourceSnapshotOf(snapshot.tags, owner)) owned.push(snapshot)
    })
  }
  return owned
}

function scopesOf(snapshotIds: readonly string[]): SnapshotScope[] {
  const scopes = snapshotIds.map((id) => parseArmId(id, 'snapshots')).map(({ subscriptionId, resourceGroup }) => ({ subscriptionId, resourceGroup }))
  const keyOf = ({ subscriptionId, resourceGroup }: SnapshotScope): string => `${subscriptionId}/${resourceGroup}`.toLowerCase()
  return [...new Map(scopes.map((scope) => [keyOf(scope), scope])).values()]
}
