/**
 * Brings the other stripes of a base blob under the epoch of the run that holds the first one.
 *
 * The first stripe is the lock: who raises its epoch holds the chain. The epochs of the others follow and only ever rise, so a
 * stripe that stands higher says that another run has taken the chain over. What a run does to a stripe beside page writes
 * it does only while the epoch there is its own, and on the ETag that it read with it.
 */
import type { FencedBlob, FencedBlobProps } from '../azure/fenced-blob.ts'
import { foreignBlob } from '../azure/fenced-blob.ts'
import { stripeMetadata, isStripeOf } from '../domain/base-blob-state.ts'
import { BackupError } from '../domain/failures.ts'
import type { SourceDisk } from '../domain/source-disk.ts'
import { decideAnew } from './decide-anew.ts'

export interface HoldOptions {
  readonly epoch: number
  readonly sizeBytes: number
  readonly disk: SourceDisk
  /** Whether a stripe that is not there may be made: what it held, if anything, is not counted on. */
  readonly mayCreate: boolean
  readonly signal?: AbortSignal | undefined
}

/**
 * After it the stripe is there, under the epoch, and as long as it should be. Safe to run twice.
 *
 * @throws BackupError FencedOut | BaseBlobForeign
 */
export async function holdStripe(blob: FencedBlob, options: HoldOptions): Promise<void> {
  const { epoch, sizeBytes, disk, mayCreate, signal } = options
  let found = await blob.properties(signal)
  if (found === undefined) {
    if (!mayCreate) throw deletedStripe(blob)
    if (await blob.createBlob({ sizeBytes, epoch, metadata: stripeMetadata(disk) }, signal)) return
    found = await requireHeld(blob, undefined, signal)
  }
  if (!isStripeOf(disk, found.metadata)) throw foreignBlob(blob.name, 'it is not of this disk')
  if (found.sequenceNumber !== epoch) await liftStripe(blob, epoch, signal)
  await resizeStripe(blob, epoch, sizeBytes, signal)
}

/** From here on every write of an earlier epoch is refused. @throws BackupError FencedOut where a later one stands there */
export async function liftStripe(blob: FencedBlob, epoch: number, signal?: AbortSignal): Promise<void> {
  const stands = await blob.liftEpoch(epoch, signal)
  if (stands !== epoch) throw overtaken(blob)
}

/** Growing keeps all pages; shrinking is for a layout that was changed. */
export async function resizeStripe(blob: FencedBlob, epoch: number, sizeBytes: number, signal?: AbortSignal): Promise<void> {
  await decideAnew(blob, signal, async () => {
    const found = await requireHeld(blob, epoch, signal)
    if (found.sizeBytes !== sizeBytes) await blob.resize(sizeBytes, found.etag, signal)
  })
}

/** @throws BackupError FencedOut where the stripe is gone, or under another epoch than this. */
export async function requireHeld(blob: FencedBlob, epoch: number | undefined, signal?: AbortSignal): Promise<FencedBlobProps> {
  const found = await blob.properties(signal)
  if (found === undefined) throw deletedStripe(blob)
  if (epoch !== undefined && found.sequenceNumber !== epoch) throw overtaken(blob)
  return found
}

/** @throws BackupError FencedOut where another run has taken one of the stripes over. */
export async function requireAllHeld(stripes: readonly FencedBlob[], epoch: number, signal?: AbortSignal): Promise<void> {
  await Promise.all(stripes.map((blob) => requireHeld(blob, epoch, signal)))
}

function deletedStripe({ name }: FencedBlob): BackupError {
  return new BackupError({
    type: 'FencedOut',
    message: `base blob ${name} was deleted while a run had it open; the next run starts a new one`,
    facts: { baseBlob: name },
  })
}

function overtaken({ name }: FencedBlob): BackupError {
  return new BackupError({
    type: 'FencedOut',
    message: `base blob ${name} was taken over by another run; this one stops, the next run plans anew`,
    facts: { baseBlob: name },
  })
}
