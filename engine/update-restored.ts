/** Gives a restored disk its tags, and of its settings what Azure takes. */
import { updateDisk } from '../azure/disks.ts'
import { isFailure, type BackupError } from '../domain/failures.ts'
import { describeSettings } from '../domain/restored-disk.ts'
import type { DiskSettings } from '../domain/source-disk.ts'
import type { Tags } from '../domain/tags.ts'
import type { Engine } from './engine.ts'

/** @returns what is to be done by hand, where Azure refused settings. Tags that it refuses fail. */
export async function updateAsFarAsTaken(engine: Engine, diskId: string, tags: Tags, all: DiskSettings, signal?: AbortSignal): Promise<string | undefined> {
  let refusal: BackupError | undefined
  for (const settings of attemptsAt(all)) {
    try {
      await updateDisk(engine.azure, diskId, { tags, settings }, signal)
      return refusal && `the disk is without ${describeSettings(without(all, settings))}, which the old one had: ${refusal.message}. Set them by hand`
    } catch (error) {
      if (describeSettings(settings) === '' || !isFailure(error) || error.retry !== 'never') throw error
      refusal ??= error
    }
  }
  throw refusal
}

/** Azure refuses an update as a whole. Who may reach the data matters more than how fast it is. */
function attemptsAt(all: DiskSettings): DiskSettings[] {
  const { network, performance } = all
  if (network === undefined && performance === undefined) return [{}]
  return [all, ...(network !== undefined && performance !== undefined ? [{ network }, { performance }] : []), {}]
}

function without({ network, performance }: DiskSettings, set: DiskSettings): DiskSettings {
  return {
    ...(network !== undefined && set.network === undefined && { network }),
    ...(performance !== undefined && set.performance === undefined && { performance }),
  }
}
