import type { FrozenSparseVolume, SparseVolume } from './sparse-volume.ts'

/** What volumes tell of themselves, in the turn of the event loop in which it happens, so that it can be kept. */
export interface VolumeLog {
  readonly isKept: boolean
  /** Gives the id of the volume that is made of `content`. */
  forked(content: FrozenSparseVolume): number
  /** A run was written at a location of the data file, or cleared. */
  replaced(id: number, startBytes: number, endBytes: number, location: number | undefined): void
  resized(id: number, sizeBytes: number): void
  /** Gives a point in time its id; `origin` is what it was taken of, when that is known. */
  frozen(content: FrozenSparseVolume, origin: SparseVolume | undefined): number
  /** Somebody refers to the id. Gives it back. */
  inUse(id: number): number
}
