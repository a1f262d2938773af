/** The options that name what is restored: a recovery point by its id, the newest one of a disk, or the base blob of a disk. */
import type { Command } from 'commander'
import { parseArmId } from '../domain/arm-id.ts'
import { BackupError } from '../domain/failures.ts'
import type { PointChoice, SourceChoice } from '../domain/restore-request.ts'
import { parseTargetUrl } from '../domain/target-url.ts'
import { requireInstant } from './arguments.ts'

export interface PointOptions {
  readonly target: string
  readonly point?: string
  readonly disk?: string
  readonly at?: string
}

export interface SourceOptions extends PointOptions {
  readonly baseBlob?: boolean
  readonly verified?: boolean
  readonly allowSuspect?: boolean
}

export const VERIFIED = 'only a point of whose bytes at least a part was compared with its digests since it was sealed'

export function withPointOptions(command: Command): Command {
  return command
    .requiredOption('--target <url>', 'URL of the container that holds the backups')
    .option('--point <id>', 'the recovery point')
    .option('--disk <id>', 'instead of --point: the newest point of this disk')
    .option('--at <time>', 'with --disk: the newest point at or before this instant')
}

export function withSourceOptions(command: Command): Command {
  return withPointOptions(command)
    .option('--base-blob', 'with --disk: what its base blob holds now, which is not sealed, instead of a point')
    .option('--verified', VERIFIED)
    .option('--allow-suspect', 'also a point whose bytes were found to differ from its digests')
}

/** @throws BackupError InvalidArgument | InvalidResourceId | InvalidTarget */
export function pointChoiceOf({ target, point, disk, at }: PointOptions): PointChoice {
  if ((point === undefined) === (disk === undefined)) {
    throw new BackupError({
      type: 'InvalidArgument',
      message: 'name what to restore: either --point ID, or --disk ID with or without --at TIME',
    })
  }
  if (at !== undefined && disk === undefined) {
    throw new BackupError({ type: 'InvalidArgument', message: '--at goes with --disk; a point already has its time' })
  }
  return {
    targetUrl: parseTargetUrl(target).url,
    ...(point !== undefined && { pointId: point.trim() }),
    ...(disk !== undefined && { diskId: parseArmId(disk, 'disks').id }),
    ...(at !== undefined && { at: requireInstant('--at', at) }),
  }
}

/** @throws BackupError InvalidArgument | InvalidResourceId | InvalidTarget */
export function sourceChoiceOf(options: SourceOptions): SourceChoice {
  const { baseBlob = false, verified = false, allowSuspect = false, disk, at } = options
  if (baseBlob && (disk === undefined || at !== undefined)) {
    throw new BackupError({ type: 'InvalidArgument', message: '--base-blob goes with --disk alone: a base blob holds one state only' })
  }
  return {
    ...pointChoiceOf(options),
    ...(baseBlob && { isBaseBlob: true }),
    ...(verified && { mustBeVerified: true }),
    ...(allowSuspect && { allowsSuspect: true }),
  }
}
