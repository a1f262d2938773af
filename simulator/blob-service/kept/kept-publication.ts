import type { VolumeStore } from '../../store/volume-store.ts'
import type { PublishedExport, PublishedUpload } from '../published-blob.ts'

/** What is published, as plain JSON with the names of volumes in the place of their bytes, and back. */

export type KeptPublished =
  | (Omit<PublishedExport, 'content' | 'footer' | 'createdAt' | 'familyId'> & {
      /** Of a frozen volume. */
      readonly content: number
      /** Base64. */
      readonly footer: string
      readonly createdAt: string
      readonly familyId?: string
    })
  | (Omit<PublishedUpload, 'volume'> & { readonly volume: number })

export function keptPublished(blob: PublishedExport | PublishedUpload): KeptPublished {
  if (blob.kind === 'upload') return { ...blob, volume: blob.volume.id }
  const { familyId, ...rest } = blob
  return {
    ...rest,
    content: blob.content.id,
    footer: blob.footer.toString('base64'),
    createdAt: blob.createdAt.toISOString(),
    ...(familyId === undefined ? {} : { familyId }),
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
  }
}
