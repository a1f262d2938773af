/** `snapferry points list`: reads the target alone, so it works with Temporal and the source region gone. */
import type { Command } from 'commander'
import type { PolicySpec } from '../../config/policy-file.ts'
import { parseArmId } from '../../domain/arm-id.ts'
import { diskPrefix, DISKS_PREFIX } from '../../domain/names.ts'
import { newestFirst, recoveryPointOf } from '../../domain/recovery-point.ts'
import { staleDisks, unreadableDisks, type StaleDisk } from '../../domain/stale-disks.ts'
import { parseTargetUrl } from '../../domain/target-url.ts'
import { Alarm } from '../alarm.ts'
import { requireDuration } from '../arguments.ts'
import { defineCommand, type Host } from '../command.ts'
import { formatInstant } from '../format.ts'
import { renderPoints, suspicionsOf } from '../points.ts'

export function registerPointsCommands(program: Command, host: Host): void {
  const points = program.command('points').description('recovery points')

  defineCommand<{ target: string; disk?: string; maxAge?: string }>(points, host, {
    usage: 'list',
    summary: 'list recovery points, newest first; needs the target only, not Temporal',
    examples: ['points list --target https://account.blob.core.windows.net/backups', 'points list --target https://account.blob.core.windows.net/backups --max-age 36h'],
    configure: (command) =>
      command
        .requiredOption('--target <url>', 'URL of the container that holds the backups')
        .option('--disk <id>', 'only points of this disk')
        .option('--max-age <duration>', 'end with 3 where a disk has no point that is younger, such as 36h: of the policies of the file for this target, else of all that the target tells of. With --json: { points, stale }'),
    run: async ({ output, load }, { target, disk, maxAge }) => {
      const targetUrl = parseTargetUrl(target).url
      const diskId = disk === undefined ? undefined : parseArmId(disk, 'disks').id
      const maxAgeMs = maxAge === undefined ? undefined : requireDuration('--max-age', maxAge)
      const { settings, config } = await load()
      // Loaded late: Azure's SDKs take longer to load than most commands take to run.
      const [{ createAzureClients }, { listPoints }, { listStagedBlobs }, { explainTemporary }] = await Promise.all([
        import('../../azure/clients.ts'),
        import('../../azure/manifests.ts'),
        import('../../azure/staged-blob.ts'),
        import('../../engine/inspect-target.ts'),
      ])
      const azure = createAzureClients(settings.azure)
      const found = await listPoints(azure, targetUrl, diskId === undefined ? {} : { diskId })
      for (const { blobName, reason } of found.damaged) output.warn(`damaged, not restorable: ${blobName}: ${reason}`)
      const sorted = newestFirst(found.points.map((point) => recoveryPointOf(point, found.checks.get(point.id))))
      for (const warning of suspicionsOf(sorted)) output.warn(warning)
      const prefix = diskId === undefined ? DISKS_PREFIX : diskPrefix(diskId)
      for await (const staged of listStagedBlobs(azure, targetUrl, prefix)) output.warn(explainTemporary(staged))
      const empty = `no recovery points${diskId === undefined ? '' : ` of ${diskId}`} in ${targetUrl}`
      const text = sorted.length === 0 ? empty : renderPoints(sorted, Date.now(), output.resultColumns)
      if (maxAgeMs === undefined) return output.result(sorted, text)
      const expected = diskId === undefined ? disksOf(config.policies, targetUrl) : [diskId]
      const stale = [
        ...staleDisks(sorted, expected, { maxAgeMs, nowMs: Date.now() }),
        ...(expected === undefined ? unreadableDisks(sorted, found.damaged) : []),
      ]
      output.result({ points: sorted, stale }, text)
      if (stale.length > 0) throw new Alarm(stale.map(describeStale).join('\n'))
      // A target that was emptied tells of no disk, and no policy of the file does.
      if (sorted.length === 0) throw new Alarm(empty)
    },
  })
}

/** @returns undefined: the file has no policy for this target. */
function disksOf(specs: readonly PolicySpec[], targetUrl: string): string[] | undefined {
  const diskIds = specs.flatMap(({ policy }) => (policy.targetUrl === targetUrl ? policy.diskIds : []))
  return diskIds.length === 0 ? undefined : diskIds
}

function describeStale({ diskId, diskKey, newestAt }: StaleDisk): string {
  if (diskId === undefined) return `disk ${diskKey} has no recovery point that can be read`
  const { resourceGroup, name } = parseArmId(diskId, 'disks')
  const none = `disk ${resourceGroup}/${name} has no recovery point`
  return newestAt === undefined ? none : `${none} since ${formatInstant(newestAt)}`
}
