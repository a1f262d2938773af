/**
 * The manifest of a recovery point: JSON beside the base blob, with all that a restore needs.
 *
 * With it the target alone is enough: no Temporal, no source region. The format is versioned and additive; a reader
 * passes over what it does not know and refuses only a newer format.
 */
import { z } from 'zod'
import { DIGEST_BASES } from './digest-table.ts'
import { BackupError } from './failures.ts'
import { diskShape, networkAccess } from './manifest-disk.ts'
import type { SourceDisk } from './source-disk.ts'

/** The newest that is read. */
export const MANIFEST_FORMAT = 2

const count = z.number().int().nonnegative()

const attachment = z.object({
  vmId: z.string(),
  role: z.enum(['os', 'data']),
  lun: count.exactOptional(),
  caching: z.string().exactOptional(),
  osType: z.string().exactOptional(),
  writeAccelerator: z.boolean().exactOptional(),
})

const verification = z.object({
  result: z.literal('passed'),
  /** Rounds of transfer and verify until the base blob was consistent; 1 is the usual. */
  rounds: count,
  /** Written since the last point, as the base blob's own diff says; equal to what was planned. */
  writtenBytes: count,
  /** Bytes read on both sides and found equal. */
  comparedBytes: count,
})

const digests = z.object({
  /** The page blob that holds the table, and the snapshot of it that belongs to the point. */
  name: z.string(),
  snapshot: z.string(),
  chunkBytes: count,
  algorithm: z.string(),
  /** What the weakest digest that the run wrote vouches for (`domain/digest-table.ts`). */
  basis: z.enum(DIGEST_BASES),
})
const stripe = z.object({ name: z.string(), sizeBytes: count, snapshot: z.string() })

const manifest = z.object({
  /** 2 where a reader of format 1 would take the base blob for the whole disk. */
  format: z.literal([1, 2]),
  id: z.string(),
  kind: z.enum(['full', 'incremental', 'reseed']),
  reseedCause: z.string().nullable(),
  takenAt: z.iso.datetime({ offset: true }),
  sealedAt: z.iso.datetime({ offset: true }),
  disk: z.object({
    id: z.string(),
    uniqueId: z.string(),
    name: z.string(),
    location: z.string(),
    shape: diskShape,
    /** Absent where its data was to be had from every network, or an earlier release wrote this. */
    network: networkAccess.exactOptional(),
    /** Neither of the next two: it is not known, as the virtual machine could not be read. */
    attachment: attachment.exactOptional(),
    isUnattached: z.literal(true).exactOptional(),
  }),
  /** Bytes of the disk, without the VHD footer. */
  sizeBytes: count,
  baseBlob: z.object({
    name: z.string(),
    /** Bytes of the blob, with the footer. */
    sizeBytes: count,
    /** `x-ms-snapshot` of the blob snapshot that is this point. */
    snapshot: z.string(),
  }),
  /** Absent: the base blob is the whole disk. Else `baseBlob` is the first of these, see `stripes.ts`. */
  stripes: z.object({ unitBytes: count.positive(), blobs: z.array(stripe).min(2).readonly() }).optional(),
  source: z.object({ snapshotId: z.string(), snapshotUniqueId: z.string(), familyId: z.string().optional() }),
  run: z.object({ key: z.string(), workflowId: z.string(), epoch: count }),
  changedBytes: count,
  clearedBytes: count,
  movedBytes: count,
  requests: count,
  /** How the bytes were moved (`transfer-job.ts`); absent where an earlier release wrote it. */
  transfer: z.enum(['copy', 'stream']).optional(),
  /** Why they were streamed: it was asked for, or the source refused copies. */
  streamCause: z.enum(['Requested', 'ServerSideCopyRefused']).optional(),
  /** What a reseed found equal in the base blob and did not move; absent: nothing. */
  savedBytes: count.optional(),
  seconds: z.number().nonnegative(),
  verification,
  /** Absent in points of releases that kept no digests. */
  digests: digests.exactOptional(),
  /** Found to be damaged in earlier points, and read again from the source by this run. */
  mended: z.array(z.object({ startBytes: count, endBytes: count })).exactOptional(),
  writtenBy: z.string(),
})

/** A point whose content is an Azure snapshot in another region. Format 2: earlier releases would look for a base blob. */
const copiedManifest = manifest
  .omit({ baseBlob: true, stripes: true, transfer: true, streamCause: true, savedBytes: true, digests: true })
  .extend({
    format: z.literal(2),
    engine: z.literal('copy-start'),
    /** The incremental snapshot that Azure made of `source` by CopyStart. */
    copiedSnapshot: z.object({ id: z.string(), uniqueId: z.string(), location: z.string() }),
    /** `none`: the copy is Azure's word alone, as its data cannot be read by a backup. */
    verification: verification.extend({ result: z.enum(['passed', 'none']) }),
  })

/** A point whose content lies in page blobs of the target. */
export type Manifest = z.infer<typeof manifest> & { readonly copiedSnapshot?: never }
export type CopiedManifest = z.infer<typeof copiedManifest>
export type AnyManifest = Manifest | CopiedManifest
/** How a run moved its bytes. */
export type Movement = Pick<Manifest, 'transfer' | 'streamCause' | 'savedBytes'>
export type PointDigests = z.infer<typeof digests>
/** A blob snapshot that a point is made of. */
export type PointBlob = Readonly<z.infer<typeof stripe>>
export type Verification = z.infer<typeof verification>
export type CopyVerification = CopiedManifest['verification']

/** What the point is made of, in the order of the stripes. */
export function pointBlobsOf({ baseBlob, stripes }: Pick<Manifest, 'baseBlob' | 'stripes'>): readonly PointBlob[] {
  return stripes?.blobs ?? [baseBlob]
}

/** What a point tells of its disk. */
export function describedDisk({ id, uniqueId, name, location, shape, ...known }: SourceDisk): Manifest['disk'] {
  const { attachment: place, isUnattached, network } = known
  return { id, uniqueId, name, location, shape, ...(network && { network }), ...(place && { attachment: place }), ...(isUnattached === true && { isUnattached }) }
}

export function isCopied(point: AnyManifest): point is CopiedManifest {
  return 'copiedSnapshot' in point
}

export function isTransferred(point: AnyManifest): point is Manifest {
  return !isCopied(point)
}

export function encodeManifest(value: AnyManifest): string {
  const parsed = isCopied(value) ? copiedManifest.parse(value) : manifest.parse(value)
  return `${JSON.stringify(parsed, null, 2)}\n`
}

/** @throws BackupError PointDamaged | FormatNotSupported */
export function decodeManifest(blobName: string, text: string): AnyManifest {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw damaged(blobName, 'it is not JSON', cause)
  }
  const format = typeof json === 'object' && json !== null && 'format' in json ? json.format : undefined
  if (typeof format === 'number' && format > MANIFEST_FORMAT) {
    throw new BackupError({
      type: 'FormatNotSupported',
      message: `manifest ${blobName} has format ${format}, this release reads up to ${MANIFEST_FORMAT}; upgrade snapferry`,
      facts: { blobName, format },
    })
  }
  const isOfCopy = typeof json === 'object' && json !== null && 'engine' in json && json.engine === 'copy-start'
  const parsed = isOfCopy ? copiedManifest.safeParse(json) : manifest.safeParse(json)
  if (!parsed.success) throw damaged(blobName, z.prettifyError(parsed.error).replace(/\s+/g, ' '), parsed.error)
  return parsed.data
}

function damaged(blobName: string, why: string, cause: unknown): BackupError {
  return new BackupError({
    type: 'PointDamaged',
    message: `manifest ${blobName} cannot be read: ${why}; the other recovery points are not concerned`,
    facts: { blobName },
    cause,
  })
}
