/** A backup as the workflow `backupDisk` makes it, in this process, and the manifest of its point. */
import { ApplicationFailure } from '@temporalio/common'
import { readManifest } from '../../azure/manifests.ts'
import { isFailureType, type FailureType } from '../../domain/failures.ts'
import { isCopied, type Manifest } from '../../domain/manifest.ts'
import { chainPrefix, manifestName } from '../../domain/names.ts'
import type { SourceSnapshot } from '../../domain/source-disk.ts'
import type { BackupDiskInput } from '../../workflows/messages.ts'
import { backupDisk, playWorkflow, type RunOptions } from './in-process-temporal.ts'

export interface BackupRunOptions extends Omit<RunOptions, 'onActivity'> {
  /** When the run has its source snapshot; the run waits for it. */
  readonly onSnapshot?: (snapshot: SourceSnapshot) => Promise<void>
}

/** The point, once the run is over. @throws what the run failed of; Terminated. */
export async function backUpInProcess(input: BackupDiskInput, { onSnapshot, ...options }: BackupRunOptions): Promise<Manifest> {
  const { point } = await playWorkflow(backupDisk, input, {
    ...options,
    async onActivity(name, result) {
      if (name === 'takeSourceSnapshot') await onSnapshot?.(result as SourceSnapshot)
    },
  })
  const manifest = await readManifest(options.startProcess().azure, input.targetUrl, manifestName(chainPrefix(point.diskId, point.diskUniqueId), point.id))
  if (isCopied(manifest)) throw new Error(`${manifest.id} is no point of a base blob`)
  return manifest
}

/** The type of what failed a run; undefined for a failure that has none of ours. */
export function failureTypeOf(error: unknown): FailureType | undefined {
  if (error instanceof ApplicationFailure && isFailureType(error.type)) return error.type
  return error instanceof Error && error.cause !== undefined ? failureTypeOf(error.cause) : undefined
}
