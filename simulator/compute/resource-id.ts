/**
 * ARM ids of Microsoft.Compute. They are compared without regard to case and shown in the case they were made with.
 *
 * The type of a resource inside another one has a segment for each, and so has its name:
 * `restorePointCollections/restorePoints` and `daily/monday`.
 */

export const RESTORE_POINT_TYPE = 'restorePointCollections/restorePoints'
export const DISK_RESTORE_POINT_TYPE = 'restorePointCollections/restorePoints/diskRestorePoints'

const TYPES = [
  'disks',
  'snapshots',
  'virtualMachines',
  'restorePointCollections',
  RESTORE_POINT_TYPE,
  DISK_RESTORE_POINT_TYPE,
] as const

export type ComputeResourceType = (typeof TYPES)[number]

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
    '/providers/Microsoft\\.Compute/(?<rest>[^/]+/[^/]+(/[^/]+/[^/]+)*)$',
  ].join(''),
  'i',
)

/** The parts of an id; undefined when it is not that of a resource which the compute service has. */
export function parseResourceId(text: string): ResourceId | undefined {
  const groups = PATTERN.exec(text)?.groups
  if (groups === undefined) return undefined
  const { subscriptionId = '', resourceGroup = '', rest = '' } = groups
  const segments = rest.split('/')
  const typeText = segments.filter((_, index) => index % 2 === 0).join('/').toLowerCase()
  const name = segments.filter((_, index) => index % 2 === 1).join('/')
  const type = TYPES.find((known) => known.toLowerCase() === typeText)
  return type === undefined ? undefined : { subscriptionId, resourceGroup, type, name }
}

export function formatResourceGroupId(id: ResourceGroupId): string {
  return `/subscriptions/${id.subscriptionId}/resourceGroups/${id.resourceGroup}`
}

export function formatResourceId(id: ResourceId): string {
  const names = id.name.split('/')
  const path = id.type.split('/').map((type, index) => `${type}/${names[index] ?? ''}`)
  return `${formatResourceGroupId(id)}/providers/Microsoft.Compute/${path.join('/')}`
}

/** Equal for ids that Azure takes for the same. */
export function lookupKey(id: ResourceId): string {
  return formatResourceId(id).toLowerCase()
}

/** The last segment of its name: what a document shows as `name`. */
export function ownName(id: ResourceId): string {
  return id.name.split('/').at(-1) ?? id.name
}
