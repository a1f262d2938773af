/** The tags on everything that snapferry makes through ARM: whose it is, which request made it, and what may be deleted. */

export type Tags = Readonly<Record<string, string>>

const OWNER_TAG = 'snapferry'
const TARGET_TAG = 'snapferry-target'
const DISK_TAG = 'snapferry-disk'
const POINT_TAG = 'snapferry-point'
/** Names the request that made a resource; equal on every attempt of it. */
const REQUEST_TAG = 'snapferry-request'
/** `pending` until a restored disk has been held against what it was made from. */
const CHECK_TAG = 'snapferry-check'

/** Tag names have no case in Azure, tag values have. */
export function tagOf(tags: Tags | undefined, name: string): string | undefined {
  return Object.entries(tags ?? {}).find(([key]) => key.toLowerCase() === name)?.[1]
}

export function requestOf(tags: Tags | undefined): string | undefined {
  return tagOf(tags, REQUEST_TAG)
}

/** Both carry the same request: one is a repetition of the other. */
export function isSameRequest(a: Tags | undefined, b: Tags | undefined): boolean {
  const request = requestOf(a)
  return request !== undefined && request === requestOf(b)
}

/**
 * What a snapshot is for: `source-snapshot` is read into a base blob, `copy-source` is copied by Azure, `copied-snapshot` is such a
 * copy. Each has a life of its own, so that no way of backing up takes from another what it needs.
 */
export type SnapshotRole = 'source-snapshot' | 'copy-source' | 'copied-snapshot'

/** Marks a snapshot as one disk's and one target's. */
export interface SnapshotOwner {
  readonly targetKey: string
  readonly diskUniqueId: string
  /** Default `source-snapshot`. */
  readonly role?: SnapshotRole
}

export function sourceSnapshotTags({ targetKey, diskUniqueId, role = 'source-snapshot' }: SnapshotOwner, runKey: string): Tags {
  return { [OWNER_TAG]: role, [TARGET_TAG]: targetKey, [DISK_TAG]: diskUniqueId, [REQUEST_TAG]: runKey }
}

export function isSourceSnapshotOf(
  found: Tags | undefined,
  { targetKey, diskUniqueId, role = 'source-snapshot' }: SnapshotOwner,
): boolean {
  return (
    tagOf(found, OWNER_TAG) === role &&
    tagOf(found, TARGET_TAG) === targetKey &&
    tagOf(found, DISK_TAG)?.toLowerCase() === diskUniqueId.toLowerCase()
  )
}

/** On what a restore makes, as long as nothing has vouched for its bytes. */
export function restoreTags(pointId: string, requestId: string): Tags {
  return { [OWNER_TAG]: 'restore', [POINT_TAG]: pointId, [REQUEST_TAG]: requestId, [CHECK_TAG]: 'pending' }
}

/** `none`: what it was made from could not be compared with it. */
export function withCheck(tags: Tags, verdict: 'passed' | 'none'): Tags {
  return { ...tags, [CHECK_TAG]: verdict }
}

/** A restored disk that was not compared with what it was made from yet, or was left before that. */
export function isUnchecked(tags: Tags | undefined): boolean {
  return tagOf(tags, CHECK_TAG) === 'pending'
}

/** Of one resource (learn.microsoft.com, limits of tags). */
const MAX_TAGS = 50

/** Tags of a restored disk: ours, and beside them as many of the old disk's as Azure takes. The last ones are left out. */
export function besideTags(former: Tags, ours: Tags): { readonly tags: Tags; readonly dropped: readonly string[] } {
  const kept = Object.entries(former).filter(([name]) => tagOf(ours, name.toLowerCase()) === undefined)
  const room = MAX_TAGS - Object.keys(ours).length
  return { tags: { ...Object.fromEntries(kept.slice(0, room)), ...ours }, dropped: kept.slice(room).map(([name]) => name) }
}
