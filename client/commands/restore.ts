/** `snapferry restore run`: a new disk from a recovery point. Never overwrites a disk. */
import type { Command } from 'commander'
import { parseArmId } from '../../domain/arm-id.ts'
import { BackupError } from '../../domain/failures.ts'
import { diskKeyOf, restoreWorkflowId, targetKeyOf } from '../../domain/names.ts'
import { parseTargetUrl } from '../../domain/target-url.ts'
import type { restoreDisk } from '../../workflows/index.ts'
import type { RestoreDiskInput, RestoreDiskResult } from '../../workflows/messages.ts'
import { diskAttribute, targetAttribute } from '../../workflows/search-attributes.ts'
import { requireInstant, requireRegion, requireZone } from '../arguments.ts'
import { defineCommand, type Host } from '../command.ts'
import { describeRestore } from '../describe-result.ts'
import { reportRun } from '../report-run.ts'
import { startRun } from '../start-run.ts'

interface RestoreRunOptions {
  readonly target: string
  readonly point?: string
  readonly disk?: string
  readonly at?: string
  readonly toDisk: string
  readonly region: string
  readonly sku?: string
  readonly zone?: string
  readonly wait?: boolean
  readonly follow?: boolean
}

export function registerRestoreCommands(program: Command, host: Host): void {
  const restore = program.command('restore').description('restore a disk')

  defineCommand<RestoreRunOptions>(restore, host, {
    usage: 'run',
    summary: 'make a new disk from a recovery point; refuses to touch a disk that is there',
    examples: [
      'restore run --target https://account.blob.core.windows.net/backups --point 20261122T101500Z-0123456789ab \\\n' +
        '      --to-disk /subscriptions/…/disks/data-restored --region westeurope --wait',
    ],
    configure: (command) =>
      command
        .requiredOption('--target <url>', 'URL of the container that holds the backups')
        .option('--point <id>', 'the recovery point')
        .option('--disk <id>', 'instead of --point: the newest point of this disk')
        .option('--at <time>', 'with --disk: the newest point at or before this instant')
        .requiredOption('--to-disk <id>', 'resource id of the disk to make')
        .requiredOption('--region <name>', 'region of the disk to make')
        .option('--sku <name>', 'SKU of the disk to make (default: that of the source disk)')
        .option('--zone <number>', 'availability zone of the disk to make (default: none)')
        .option('--wait', 'wait for the end, and end as the run does')
        .option('--follow', 'like --wait, and join a restore of this disk that is already open'),
    run: async ({ output, withTemporal }, options) => {
      const input = restoreInputOf(options)
      await withTemporal(async (link, { settings }) => {
        const run = await startRun<typeof restoreDisk>(link, output, {
          workflowType: 'restoreDisk',
          workflowId: restoreWorkflowId(input.toDiskId),
          args: [input],
          summary: `Restores ${nameOf(input.toDiskId)} from ${input.pointId ?? nameOf(input.diskId ?? '')}`,
          searchAttributes: [
            { key: diskAttribute, value: diskKeyOf(input.toDiskId) },
            { key: targetAttribute, value: targetKeyOf(input.targetUrl) },
          ],
          mayJoin: options.follow === true,
          taskQueuePrefix: settings.worker.taskQueuePrefix,
        })
        await reportRun<RestoreDiskResult>(link, output, run, {
          what: `restore to disk ${input.toDiskId}`,
          mustWait: options.wait === true || options.follow === true,
          describe: describeRestore,
        })
      })
    },
  })
}

/**
 * Checks all arguments before anything is started.
 *
 * @throws BackupError InvalidArgument | InvalidResourceId | InvalidTarget
 */
export function restoreInputOf(options: RestoreRunOptions): RestoreDiskInput {
  const { point: pointId, disk, at, sku, zone } = options
  if ((pointId === undefined) === (disk === undefined)) {
    throw new BackupError({
      type: 'InvalidArgument',
      message: 'name what to restore: either --point ID, or --disk ID with or without --at TIME',
    })
  }
  if (at !== undefined && disk === undefined) {
    throw new BackupError({ type: 'InvalidArgument', message: '--at goes with --disk; a point already has its time' })
  }
  return {
    targetUrl: parseTargetUrl(options.target).url,
    ...(pointId !== undefined && { pointId: pointId.trim() }),
    ...(disk !== undefined && { diskId: parseArmId(disk, 'disks').id }),
    ...(at !== undefined && { at: requireInstant('--at', at) }),
    toDiskId: parseArmId(options.toDisk, 'disks').id,
    region: requireRegion('--region', options.region),
    ...(sku !== undefined && { sku }),
    ...(zone !== undefined && { zone: requireZone('--zone', zone) }),
  }
}

function nameOf(diskId: string): string {
  return parseArmId(diskId, 'disks').name
}
