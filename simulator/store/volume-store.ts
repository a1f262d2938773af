import { NO_JOURNAL, type Journal } from '../state/journal.ts'
import { DataFile } from './data-file.ts'
import { KeptVolumes } from './kept-volumes.ts'
import type { FrozenVolume, Volume } from './volume.ts'

/**
 * Makes volumes that share one data file. What a volume costs is a few dozen bytes of heap per written run and the disk
 * space of all that was ever written; its size costs nothing.
 *
 * Volumes need no closing: one that nobody holds any more is collected, its disk space is not.
 */
export interface VolumeStore {
  /** An empty volume. `sizeBytes` is a multiple of 512. */
  createVolume(sizeBytes: number): Volume
  /** The volume of an id, for a part of the journal that applies an entry. @throws Error for an id that is none. */
  volume(id: number): Volume
  /** The same for a frozen volume. */
  frozenVolume(id: number): FrozenVolume
  /** Ends all volumes. Resolves when writes under way have ended. */
  close(): Promise<void>
}

export interface VolumeStoreOptions {
  /** Where the data file lies. Default: a temporary file. */
  readonly directory?: string
  /**
   * Keeps what volumes hold, in a `directory` that must be given. The store joins it when it is made, so that parts
   * which refer to volumes join later. Default: what is there from earlier is overwritten.
   */
  readonly journal?: Journal
}

export async function createVolumeStore(options: VolumeStoreOptions = {}): Promise<VolumeStore> {
  const { journal = NO_JOURNAL, ...place } = options
  const file = await DataFile.open({ ...place, isKept: journal.isKept })
  const volumes = new KeptVolumes(file, journal)
  return {
    createVolume: (sizeBytes) => volumes.create(sizeBytes),
    volume: (id) => volumes.volume(id),
    frozenVolume: (id) => volumes.frozenVolume(id),
    close: () => file.close(),
  }
}
