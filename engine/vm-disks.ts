/** Which disks a virtual machine had and how they were attached, by the word of their points alone. */
import { sameArmId } from '../domain/arm-id.ts'
import { describePlace } from '../domain/attachment.ts'
import type { AnyManifest } from '../domain/manifest.ts'

/** Of each disk its points, newest first. */
export type PointsByDisk = ReadonlyMap<string, readonly AnyManifest[]>

/** The newest point that knows whether and how its disk was attached. */
export function tellingPoint(ofDisk: readonly AnyManifest[]): AnyManifest | undefined {
  return ofDisk.find(({ disk }) => disk.attachment !== undefined || disk.isUnattached === true)
}

/**
 * A disk that had been detached by then is none of the machine's. One that was replaced, and not backed up since, still says that it is: of
 * several disks in one place that counts which was seen there last.
 */
export function disksOfVm(disks: PointsByDisk, vmId: string): { diskIds: string[]; notes: string[] } {
  const told = [...disks.values()].flatMap((ofDisk) => {
    const telling = tellingPoint(ofDisk)
    const attachment = telling?.disk.attachment
    return telling !== undefined && attachment !== undefined && sameArmId(attachment.vmId, vmId)
      ? [{ diskId: telling.disk.id, takenAt: telling.takenAt, place: describePlace(attachment) }]
      : []
  })
  const diskIds: string[] = []
  const notes: string[] = []
  for (const one of told) {
    const { diskId, takenAt, place } = one
    const rivals = place === undefined ? [] : told.filter((other) => other !== one && other.place === place)
    const later = rivals.find((other) => Date.parse(other.takenAt) > Date.parse(takenAt))
    if (later === undefined) diskIds.push(diskId)
    else notes.push(`disk ${diskId} was ${place} of the machine on ${takenAt}, but disk ${later.diskId} on ${later.takenAt}, so it is left out`)
  }
  return { diskIds, notes }
}

/** What is believed of a disk although its newest point does not tell it. */
export function believed(ofDisk: readonly AnyManifest[]): string[] {
  const [newest] = ofDisk
  const telling = tellingPoint(ofDisk)
  if (newest === undefined || telling === undefined || telling === newest) return []
  return [`point ${newest.id} of ${newest.disk.name} does not tell how the disk was attached; believed is point ${telling.id} of ${telling.takenAt}`]
}
