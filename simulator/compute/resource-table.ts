import { lookupKey, type ResourceId } from './resource-id.ts'

/** Resources of one kind by ARM id, listed in pages that survive deletions between two of them. */

export interface ResourceTable<T extends { readonly id: ResourceId }> {
  get(id: ResourceId): T | undefined
  put(resource: T): void
  /** To be called after a change of a resource. One that is not in the table any more stays out of it. */
  changed(resource: T): void
  /** Twice is fine. */
  delete(id: ResourceId): void
  all(): Iterable<T>
  /**
   * At most `limit` resources of a subscription or group, by id, those after the key `after`.
   * `next` is the key to go on from; undefined on the last page.
   */
  page(scope: ListScope, limit: number, after: string | undefined): { items: T[]; next: string | undefined }
}

export interface ListScope {
  readonly subscriptionId: string
  readonly resourceGroup?: string
}

export function createResourceTable<T extends { readonly id: ResourceId }>(): ResourceTable<T> {
  const byKey = new Map<string, T>()
  return {
    get: (id) => byKey.get(lookupKey(id)),
    put: (resource) => void byKey.set(lookupKey(resource.id), resource),
    changed: () => {},
    delete: (id) => void byKey.delete(lookupKey(id)),
    all: () => byKey.values(),
    page(scope, limit, after) {
      const keys = [...byKey]
        .filter(([key, resource]) => isInScope(resource.id, scope) && (after === undefined || key > after))
        .map(([key]) => key)
        .sort()
      const shown = keys.slice(0, limit)
      const items = shown.flatMap((key) => byKey.get(key) ?? [])
      return { items, next: keys.length > shown.length ? shown.at(-1) : undefined }
    },
  }
}

function isInScope(id: ResourceId, scope: ListScope): boolean {
  if (id.subscriptionId.toLowerCase() !== scope.subscriptionId.toLowerCase()) return false
  return scope.resourceGroup === undefined || id.resourceGroup.toLowerCase() === scope.resourceGroup.toLowerCase()
}
