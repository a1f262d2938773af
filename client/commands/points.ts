/** `snapferry points list`: reads the target alone, so it works with Temporal and the source region gone. */
import type { Command } from 'commander'
import { parseArmId } from '../../domain/arm-id.ts'
import { diskPrefix, DISKS_PREFIX } from '../../domain/names.ts'
import { newestFirst, recoveryPointOf } from '../../domain/recovery-point.ts'
import { parseTargetUrl } from '../../domain/target-url.ts'
import { defineCommand, type Host } from '../command.ts'
import { renderPoints, suspicionsOf } from '../points.ts'

export function registerPointsCommands(program: Command, host: Host): void {
  const points = program.command('points').description('recovery points')

  defineCommand<{ target: string; disk?: string }>(points, host, {
    usage: 'list',
    summary: 'list recovery points, newest first; needs the target only, not Temporal',
    examples: ['points list --target https://account.blob.core.windows.net/backups'],
    configure: (command) =>
      command
        .requiredOption('--target <url>', 'URL of the container that holds the backups')
        .option('--disk <id>', 'only points of this disk'),
    run: async ({ output, load }, { target, disk }) => {
      const targetUrl = parseTargetUrl(target).url
      const diskId = disk === undefined ? undefined : parseArmId(disk, 'disks').id
      const { settings } = await load()
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
      output.result(sorted, sorted.length === 0 ? empty : renderPoints(sorted, Date.now(), output.resultColumns))
    },
  })
}
