/**
 * ARM ids of disks and snapshots. They are compared without regard to case and shown in the case they were made with.
 */

export type ComputeResourceType = 'disks' | 'snapshots'

export interface ResourceGroupId {
  readonly subscriptionId: string
  readonly resourceGroup: string
}

export interface ResourceId extends ResourceGroupId {
  readonly type: ComputeResourceType
  readonly name: string
}

const PATTERN = new RegExp(
  [
    '^/subscriptions/(?<subscriptionId>[^/]+)',
    '/resourceGroups/(?<resourceGroup>[^/]+)',
    '/providers/Microsoft\\.Compute',
    '/(?<type>disks|snapshots)/(?<name>[^/]+)$',
  ].join(''),
  'i',
)

/** The parts of an id; undefined when it is not that of a disk or snapshot. */
export function parseResourceId(text: string): ResourceId | undefined {
  const groups = PATTERN.exec(text)?.groups
  if (groups === undefined) return undefined
  const { subscriptionId = '', resourceGroup = '', type = '', name = '' } = groups
  return { subscriptionId, resourceGroup, type: type.toLowerCase() === 'disks' ? 'disks' : 'snapshots', name }
}

export function formatResourceGroupId(id: ResourceGroupId): string {
  return `/subscriptions/${id.subscriptionId}/resourceGroups/${id.resourceGroup}`
}

export function formatResourceId(id: ResourceId): string {
  return `${formatResourceGroupId(id)}/providers/Microsoft.Compute/${id.type}/${id.name}`
}

/** Equal for ids that Azure takes for the same. */
export function lookupKey(id: ResourceId): string {
  return formatResourceId(id).toLowerCase()
}
