/** The tags on everything that snapferry makes through ARM: whose it is, and what may be deleted. */

export const OWNER_TAG = 'snapferry'
/** Key of the run that made it. */
export const RUN_TAG = 'snapferry-run'

/** Marks a source snapshot as one disk's and one target's. */
export interface SnapshotTags {
  readonly targetKey: string
  readonly diskUniqueId: string
}

export function sourceSnapshotTags({ targetKey, diskUniqueId }: SnapshotTags, runKey: string): Record<string, string> {
  return { [OWNER_TAG]: 'source-snapshot', 'snapferry-target': targetKey, 'snapferry-disk': diskUniqueId, [RUN_TAG]: runKey }
}

export function isSnapshotOfTarget(found: Readonly<Record<string, string>>, { targetKey, diskUniqueId }: SnapshotTags): boolean {
  return found[OWNER_TAG] === 'source-snapshot' && found['snapferry-target'] === targetKey && found['snapferry-disk'] === diskUniqueId
}

/** On a disk that a restore is making; a retry knows its own by the request. */
export function restoreTags(pointId: string, requestId: string): Record<string, string> {
  return { [OWNER_TAG]: 'restore', 'snapferry-point': pointId, 'snapferry-request': requestId }
}
