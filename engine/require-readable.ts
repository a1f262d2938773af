/** Refuses to read what cannot be read: a snapshot that Azure copied of a disk with 4096-byte sectors, or that is closed to every network. */
import { BackupError } from '../domain/failures.ts'
import { originLabel } from '../domain/restore-request.ts'
import type { RestoreSource } from './restore-source.ts'

/** For uploads and exports; Azure makes a disk of it without reading. @throws BackupError InvalidArgument */
export function requireReadable({ origin, isUncompared, fastRegion, snapshot }: RestoreSource): void {
  if (isUncompared !== true || fastRegion === undefined || snapshot === undefined) return
  const subscription = snapshot.snapshotId.split('/')[2]
  throw new BackupError({
    type: 'InvalidArgument',
    message: `${originLabel(origin)} is an Azure snapshot whose data cannot be read, so it can be neither uploaded nor exported: it becomes a disk in ${fastRegion} and subscription ${subscription} alone; restore it there`,
    facts: { snapshotId: snapshot.snapshotId },
  })
}
