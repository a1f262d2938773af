/** `snapferry backup run`: one backup of one disk, now. */
import type { Command } from 'commander'
import type { ConfigFile } from '../../config/config-file.ts'
import { parseArmId, sameArmId } from '../../domain/arm-id.ts'
import { MAX_STRIPES } from '../../domain/choose-striping.ts'
import { backupWorkflowId, diskKeyOf, targetKeyOf } from '../../domain/names.ts'
import { DEFAULT_OPTIONS, type BackupOptions, type CopyPlace } from '../../domain/policy.ts'
import type { AnyPoint } from '../../domain/recovery-point.ts'
import { parseTargetUrl } from '../../domain/target-url.ts'
import type { backupDisk } from '../../workflows/index.ts'
import type { BackupDiskResult } from '../../workflows/messages.ts'
import { diskAttribute, targetAttribute } from '../../workflows/search-attributes.ts'
import { invalidArgument, requireChoice, requireCount, requireRegion } from '../arguments.ts'
import { defineCommand, type Host } from '../command.ts'
import { describeBackup } from '../describe-result.ts'
import { reportRun } from '../report-run.ts'
import { startRun } from '../start-run.ts'

interface BackupRunOptions {
  readonly disk: string
  readonly target: string
  readonly keepLast?: string
  readonly transfer?: string
  readonly stripes?: string
  readonly engine?: string
  readonly copyRegion?: string
  readonly copyResourceGroup?: string
  readonly wait?: boolean
  readonly follow?: boolean
}

export function registerBackupCommands(program: Command, host: Host): void {
  const backup = program.command('backup').description('back up a disk')

  defineCommand<BackupRunOptions>(backup, host, {
    usage: 'run',
    summary: 'back up a disk now; one run of a disk and target is open at a time',
    examples: [
      'backup run --disk /subscriptions/…/disks/data --target https://account.blob.core.windows.net/backups --wait',
    ],
    configure: (command) =>
      command
        .requiredOption('--disk <id>', 'resource id of the managed disk')
        .requiredOption('--target <url>', 'URL of the container that holds the backups')
        .option(
          '--keep-last <count>',
          'delete older points (default: as the policy of the disk says, else delete none)',
        )
        .option('--transfer <how>', 'copy or stream (default: as the policy of the disk says, else copy)')
        .option('--stripes <count>', 'page blobs that the disk is dealt out over (default: as it is, else as its size needs)')
        .option('--engine <name>', 'page-blob or copy-start (default: as the policy of the disk says, else page-blob)')
        .option('--copy-region <name>', 'with copy-start: region that Azure copies the snapshot to')
        .option('--copy-resource-group <name>', 'with copy-start: resource group of the copied snapshot')
        .option('--wait', 'wait for the end, and end as the run does')
        .option('--follow', 'like --wait, and join a run that is already open'),
    run: async ({ output, load, withTemporal }, options) => {
      const disk = parseArmId(options.disk, 'disks')
      const { url: targetUrl, account, container } = parseTargetUrl(options.target)
      const keepLast = options.keepLast === undefined ? undefined : requireCount('--keep-last', options.keepLast)
      const copyPlace = copyPlaceOf(options)
      const stripes = options.stripes === undefined ? undefined : requireCount('--stripes', options.stripes)
      if (stripes !== undefined && stripes > MAX_STRIPES) throw invalidArgument('--stripes', options.stripes ?? '', `at most ${MAX_STRIPES}`)
      const transfer = requireChoice('--transfer', options.transfer, ['copy', 'stream'])
      const { options: ofPolicy, policy } = optionsFor((await load()).config, disk.id, targetUrl, {
        ...(keepLast !== undefined && { retention: { keepLast } }),
        ...(transfer !== undefined && { transfer }),
        ...(stripes !== undefined && { stripes }),
      })
      const backupOptions = withCopyPlace(ofPolicy, copyPlace)
      if (backupOptions.copyStart !== undefined) refuseMoving(options)
      await withTemporal(async (link, { settings }) => {
        if (policy !== undefined) output.note(`options of policy ${policy}`)
        const run = await startRun<typeof backupDisk>(link, output, {
          workflowType: 'backupDisk',
          workflowId: backupWorkflowId(disk.id, targetUrl),
          args: [{ diskId: disk.id, targetUrl, options: backupOptions }],
          summary: `Backs up ${disk.name} to ${account}/${container}`,
          searchAttributes: [
            { key: diskAttribute, value: diskKeyOf(disk.id) },
            { key: targetAttribute, value: targetKeyOf(targetUrl) },
          ],
          mayJoin: options.follow === true,
          taskQueuePrefix: settings.worker.taskQueuePrefix,
        })
        await reportRun<BackupDiskResult<AnyPoint>>(link, output, run, {
          what: `backup of disk ${disk.id}`,
          mustWait: options.wait === true || options.follow === true,
          describe: describeBackup,
        })
      })
    },
  })
}

/**
 * Where the command line lets Azure copy to, or that it shall not; undefined where the policy of the disk decides.
 * @throws BackupError InvalidArgument
 */
function copyPlaceOf({ engine, copyRegion, copyResourceGroup }: BackupRunOptions): CopyPlace | 'none' | undefined {
  const chosen = requireChoice('--engine', engine, ['page-blob', 'copy-start'])
  if (chosen !== 'copy-start') {
    for (const [option, stray] of [['--copy-region', copyRegion], ['--copy-resource-group', copyResourceGroup]] as const) {
      if (stray !== undefined) throw invalidArgument(option, stray, 'it goes with --engine copy-start')
    }
    return chosen && 'none'
  }
  if (copyRegion === undefined || copyResourceGroup === undefined) {
    throw invalidArgument('--engine', chosen, 'it needs --copy-region and --copy-resource-group')
  }
  return { region: requireRegion('--copy-region', copyRegion), resourceGroup: copyResourceGroup }
}

/** @throws BackupError InvalidArgument for what would change nothing. */
function refuseMoving({ transfer, stripes }: BackupRunOptions): void {
  for (const [option, text] of [['--transfer', transfer], ['--stripes', stripes]] as const) {
    if (text !== undefined) throw invalidArgument(option, text, 'Azure moves the bytes with engine copy-start')
  }
}

function withCopyPlace(options: BackupOptions, place: CopyPlace | 'none' | undefined): BackupOptions {
  if (place === undefined) return options
  const { copyStart: _ofPolicy, ...others } = options
  return place === 'none' ? others : { ...others, copyStart: place }
}

/**
 * A disk that a policy covers is backed up as the policy says, or a run by hand would delete points by another rule.
 * Without a policy nothing is deleted unless --keep-last asks for it.
 */
function optionsFor(
  config: ConfigFile,
  diskId: string,
  targetUrl: string,
  overrides: Partial<BackupOptions>,
): { options: BackupOptions; policy?: string } {
  const spec = config.policies.find(
    ({ policy }) => policy.targetUrl === targetUrl && policy.diskIds.some((id) => sameArmId(id, diskId)),
  )
  const base = spec?.policy.options ?? { ...DEFAULT_OPTIONS, retention: { keepLast: Number.MAX_SAFE_INTEGER } }
  return {
    options: { ...base, ...overrides },
    ...(spec !== undefined && { policy: spec.policy.name }),
  }
}
