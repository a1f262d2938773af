import type { Journal } from '../state/journal.ts'
import { ArmError } from './arm-error.ts'
import { formatResourceGroupId, type ResourceGroupId } from './resource-id.ts'
import { normalLocation, requireRegion } from './regions.ts'

/** Subscriptions and their resource groups: the frame that every disk and snapshot lives in. */

export interface ResourceGroup {
  readonly id: ResourceGroupId
  readonly location: string
  readonly tags: Readonly<Record<string, string>>
}

export interface ResourceGroups {
  addSubscription(subscriptionId: string): void
  subscriptions(): string[]
  /** @throws ArmError 404 SubscriptionNotFound */
  requireSubscription(subscriptionId: string): void
  /** Makes the group or replaces its tags. @throws ArmError 409 when it is in another region. */
  put(id: ResourceGroupId, location: string, tags?: Readonly<Record<string, string>>): ResourceGroup
  find(id: ResourceGroupId): ResourceGroup | undefined
  /** @throws ArmError 404 ResourceGroupNotFound */
  require(id: ResourceGroupId): ResourceGroup
  list(subscriptionId: string): ResourceGroup[]
  /** The group alone; what is in it is not looked at. Twice is fine. */
  delete(id: ResourceGroupId): void
}

type GroupEntry =
  | { readonly kind: 'subscription'; readonly subscriptionId: string }
  | { readonly kind: 'group'; readonly group: ResourceGroup }
  | { readonly kind: 'gone'; readonly id: ResourceGroupId }

export function createResourceGroups(journal: Journal): ResourceGroups {
  const subscriptionIds = new Map<string, string>()
  const groups = new Map<string, ResourceGroup>()
  const keyOf = (id: ResourceGroupId): string => formatResourceGroupId(id).toLowerCase()
  const apply = (entry: GroupEntry): void => {
    switch (entry.kind) {
      case 'subscription':
        return void subscriptionIds.set(entry.subscriptionId.toLowerCase(), entry.subscriptionId)
      case 'group':
        return void groups.set(keyOf(entry.group.id), entry.group)
      case 'gone':
        return void groups.delete(keyOf(entry.id))
    }
  }
  const write = journal.join<GroupEntry>({
    name: 'resource-groups',
    apply,
    *entries() {
      for (const subscriptionId of subscriptionIds.values()) yield { kind: 'subscription', subscriptionId }
      for (const group of groups.values()) yield { kind: 'group', group }
    },
  })
  const change = (entry: GroupEntry): void => {
    apply(entry)
    write(entry)
  }

  return {
    addSubscription(subscriptionId) {
      if (!subscriptionIds.has(subscriptionId.toLowerCase())) change({ kind: 'subscription', subscriptionId })
    },
    subscriptions: () => [...subscriptionIds.values()],
    requireSubscription(subscriptionId) {
      if (subscriptionIds.has(subscriptionId.toLowerCase())) return
      throw new ArmError(404, 'SubscriptionNotFound', `The subscription '${subscriptionId}' could not be found.`)
    },
    put(id, location, tags = {}) {
      const known = groups.get(keyOf(id))
      const { name } = requireRegion(location)
      if (known !== undefined && known.location !== normalLocation(location)) {
        throw new ArmError(
          409,
          'InvalidResourceGroupLocation',
          `Invalid resource group location '${name}'. ` +
            `The Resource group already exists in location '${known.location}'.`,
        )
      }
      const group = { id: known?.id ?? id, location: name, tags }
      change({ kind: 'group', group })
      return group
    },
    find: (id) => groups.get(keyOf(id)),
    require(id) {
      const group = groups.get(keyOf(id))
      if (group !== undefined) return group
      throw new ArmError(404, 'ResourceGroupNotFound', `Resource group '${id.resourceGroup}' could not be found.`)
    },
    list(subscriptionId) {
      const wanted = subscriptionId.toLowerCase()
      return [...groups.values()].filter((group) => group.id.subscriptionId.toLowerCase() === wanted)
    },
    delete: (id) => change({ kind: 'gone', id }),
  }
}

/** The group as ARM shows it. */
export function resourceGroupDocument(group: ResourceGroup): Record<string, unknown> {
  return {
    id: formatResourceGroupId(group.id),
    name: group.id.resourceGroup,
    type: 'Microsoft.Resources/resourceGroups',
    location: group.location,
    tags: group.tags,
    properties: { provisioningState: 'Succeeded' },
  }
}
