/** A recovery point in full, for people. */
import { describeRanges } from '../domain/byte-range.ts'
import type { DigestBasis } from '../domain/digest-table.ts'
import { isCopied, pointBlobsOf, type AnyManifest, type Movement } from '../domain/manifest.ts'
import { differsFrom, type PointCheck, type Suspicion } from '../domain/point-check.ts'
import { guestKeysOf } from '../domain/restored-disk.ts'
import { formatBytes, formatInstant } from './format.ts'
import { describeLevel } from './points.ts'

export function describeManifest(manifest: AnyManifest, check?: PointCheck): string {
  const { id, disk, takenAt, sealedAt, kind, reseedCause, sizeBytes, verification, source } = manifest
  const digests = isCopied(manifest) ? undefined : manifest.digests
  const { tags, purchasePlan, performance, encryption, encryptionSettingsCollection, ...shape } = disk.shape
  const lines: (readonly [string, string | undefined])[] = [
    ['point', id],
    ['disk', disk.id],
    ['holds', `the disk as it was at ${formatInstant(takenAt)}`],
    ['sealed', `${formatInstant(sealedAt)} by ${manifest.writtenBy}`],
    ['kind', reseedCause === null ? kind : `${kind} (${reseedCause})`],
    ['moved', isCopied(manifest) ? 'by Azure (CopyStart)' : movementOf(manifest)],
    ['size', formatBytes(sizeBytes)],
    ['region', disk.location],
    ['becomes', describeFields(shape)],
    ['had', performance && describeFields(performance)],
    ['key', encryption?.diskEncryptionSetId],
    ['keys', encryptionSettingsCollection && `Azure Disk Encryption, ${guestKeysOf(encryptionSettingsCollection).join(' and ')}`],
    ['network', disk.network && describeFields(disk.network)],
    ['plan', purchasePlan && describeFields(purchasePlan)],
    ['tags', tags && describeFields(tags)],
    ['checked', `${formatBytes(verification.comparedBytes)} compared with the source, ${verification.result}`],
    ['digests', digests && `a CRC64 per ${formatBytes(digests.chunkBytes)}, ${BASES[digests.basis]}`],
    ['verified', check?.verified && `${describeLevel(check.verified)}, ${formatInstant(check.verified.at)}, ${formatBytes(check.verified.comparedBytes)} compared with the digests`],
    ['SUSPECT', check?.suspect && suspicionOf(check.suspect)],
    ...placesOf(manifest).map((place) => ['lies in', place] as const),
    ['source', source.snapshotId],
  ]
  return lines
    .filter(([, text]) => text !== undefined && text !== '')
    .map(([label, text]) => `${label.padEnd(9)}${text}`)
    .join('\n')
}

function suspicionOf(suspect: Suspicion): string {
  const { since, ranges, unreadable } = suspect
  if (unreadable !== undefined) return unreadable
  const where = ranges.length === 0 ? '' : ` at ${describeRanges(ranges)}`
  return `since ${formatInstant(since)}: the bytes differ from ${differsFrom(suspect)}${where}`
}

const BASES: Readonly<Record<DigestBasis, string>> = {
  'source-stream': 'of what the worker read from the source',
  'service-checksum': 'by the storage service of what it wrote',
  'target-read': 'in part read back from the target',
}

function placesOf(manifest: AnyManifest): string[] {
  if (isCopied(manifest)) return [`snapshot ${manifest.copiedSnapshot.id} in ${manifest.copiedSnapshot.location}`]
  return pointBlobsOf(manifest).map(({ name, snapshot }) => `${name}, snapshot ${snapshot}`)
}

function movementOf({ transfer, streamCause, savedBytes }: Movement): string | undefined {
  if (transfer === undefined) return undefined
  const saved = savedBytes === undefined ? '' : `; ${formatBytes(savedBytes)} found equal and not moved`
  return (transfer === 'copy' ? 'by the storage service' : `through the worker (${streamCause})`) + saved
}

function describeFields(fields: object): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name} ${Array.isArray(value) ? value.join('+') : String(value)}`)
    .join(', ')
}
