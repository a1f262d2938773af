import type { VolumeStore } from '../../store/volume-store.ts'
import type { ExportHead, PublishedExport, PublishedUpload } from '../published-blob.ts'

/** What is published, as plain JSON with the names of volumes in the place of their bytes, and back. */

interface KeptHead {
  readonly sizeBytes: number
  /** Bytes in base64. */
  readonly parts: readonly (readonly [offsetBytes: number, bytes: string])[]
}

export type KeptPublished =
  | (Omit<PublishedExport, 'content' | 'head' | 'footer' | 'createdAt' | 'familyId'> & {
      /** Of a frozen volume. */
      readonly content: number
      readonly head?: KeptHead
      /** Base64. */
      readonly footer: string
      readonly createdAt: string
      readonly familyId?: string
    })
  | (Omit<PublishedUpload, 'volume'> & { readonly volume: number })

export function keptPublished(blob: PublishedExport | PublishedUpload): KeptPublished {
  if (blob.kind === 'upload') return { ...blob, volume: blob.volume.id }
  const { familyId, head, ...rest } = blob
  return {
    ...rest,
    content: blob.content.id,
    footer: blob.footer.toString('base64'),
    createdAt: blob.createdAt.toISOString(),
    ...(familyId === undefined ? {} : { familyId }),
    ...(head === undefined ? {} : { head: keptHead(head) }),
  }
}

/** @throws Error for a volume that the store does not know. */
export function restoredPublished(kept: KeptPublished, store: VolumeStore): PublishedExport | PublishedUpload {
  if (kept.kind === 'upload') return { ...kept, volume: store.volume(kept.volume) }
  return {
    ...kept,
    content: store.frozenVolume(kept.content),
    footer: Buffer.from(kept.footer, 'base64'),
    createdAt: new Date(kept.createdAt),
    familyId: kept.familyId,
    head: kept.head === undefined ? undefined : restoredHead(kept.head),
  }
}

function keptHead({ sizeBytes, parts }: ExportHead): KeptHead {
  return { sizeBytes, parts: parts.map(({ offsetBytes, bytes }) => [offsetBytes, bytes.toString('base64')]) }
}

function restoredHead({ sizeBytes, parts }: KeptHead): ExportHead {
  return {
    sizeBytes,
    parts: parts.map(([offsetBytes, bytes]) => ({ offsetBytes, bytes: Buffer.from(bytes, 'base64') })),
  }
}
