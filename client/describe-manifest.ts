/** A recovery point in full, for people. */
import type { Manifest, Movement } from '../domain/manifest.ts'
import { formatBytes, formatInstant } from './format.ts'

export function describeManifest(manifest: Manifest): string {
  const { id, disk, takenAt, sealedAt, kind, reseedCause, sizeBytes, baseBlob, verification, source } = manifest
  const { tags, purchasePlan, ...shape } = disk.shape
  const lines: (readonly [string, string | undefined])[] = [
    ['point', id],
    ['disk', disk.id],
    ['holds', `the disk as it was at ${formatInstant(takenAt)}`],
    ['sealed', `${formatInstant(sealedAt)} by ${manifest.writtenBy}`],
    ['kind', reseedCause === null ? kind : `${kind} (${reseedCause})`],
    ['moved', movementOf(manifest)],
    ['size', formatBytes(sizeBytes)],
    ['region', disk.location],
    ['becomes', describeFields(shape)],
    ['plan', purchasePlan && describeFields(purchasePlan)],
    ['tags', tags && describeFields(tags)],
    ['checked', `${formatBytes(verification.comparedBytes)} compared with the source, ${verification.result}`],
    ['lies in', `${baseBlob.name}, snapshot ${baseBlob.snapshot}`],
    ['source', source.snapshotId],
  ]
  return lines
    .filter(([, text]) => text !== undefined && text !== '')
    .map(([label, text]) => `${label.padEnd(8)}${text}`)
    .join('\n')
}

function movementOf({ transfer, streamCause }: Movement): string | undefined {
  if (transfer === undefined) return undefined
  return transfer === 'copy' ? 'by the storage service' : `through the worker (${streamCause})`
}

function describeFields(fields: object): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name} ${Array.isArray(value) ? value.join('+') : String(value)}`)
    .join(', ')
}
