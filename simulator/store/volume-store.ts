import { DataFile } from './data-file.ts'
import { RunMap } from './run-map.ts'
import { SparseVolume } from './sparse-volume.ts'
import type { Volume } from './volume.ts'

/**
 * Makes volumes that share one data file. What a volume costs is a few dozen bytes of heap per written run and the disk
 * space of all that was ever written; its size costs nothing.
 *
 * Volumes need no closing: one that nobody holds any more is collected, its disk space is not.
 */
export interface VolumeStore {
  /** An empty volume. `sizeBytes` is a multiple of 512. */
  createVolume(sizeBytes: number): Volume
  /** Ends all volumes. Resolves when writes under way have ended. */
  close(): Promise<void>
}

export interface VolumeStoreOptions {
  /** Where the data file lies; what is there from earlier is overwritten. Default: a temporary file. */
  readonly directory?: string
}

export async function createVolumeStore(options: VolumeStoreOptions = {}): Promise<VolumeStore> {
  const file = await DataFile.open(options.directory)
  return {
    createVolume: (sizeBytes) => new SparseVolume(file, sizeBytes, new RunMap()),
    close: () => file.close(),
  }
}
