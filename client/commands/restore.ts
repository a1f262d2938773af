/** `snapferry restore run`: a new disk from a recovery point. Never overwrites a disk. */
import type { Command } from 'commander'
import { resourceKeyOf, restoreWorkflowId, targetKeyOf } from '../../domain/names.ts'
import type { restoreDisk } from '../../workflows/index.ts'
import type { RestoreDiskResult } from '../../workflows/messages.ts'
import { diskAttribute, targetAttribute } from '../../workflows/search-attributes.ts'
import { agreeToRestore } from '../agree-to-restore.ts'
import { defineCommand, type Host } from '../command.ts'
import { describeRestore } from '../describe-result.ts'
import { canAsk } from '../confirm.ts'
import { createEngine } from '../engine.ts'
import { reportRun } from '../report-run.ts'
import { restoreInputOf, toIdOf, withRestoreOptions, type RestoreOptions } from '../restore-options.ts'
import { startRun } from '../start-run.ts'
import { registerExportCommand } from './export.ts'
import { registerRestoreGroupCommand } from './restore-group.ts'
import { registerRestorePlanCommand } from './restore-plan.ts'
import { registerRestoreSwapCommand } from './restore-swap.ts'

interface RestoreRunOptions extends RestoreOptions {
  readonly wait?: boolean
  readonly follow?: boolean
  readonly yes?: boolean
}

export function registerRestoreCommands(program: Command, host: Host): void {
  const restore = program.command('restore').description('restore a disk, or export it to a file')
  registerRestorePlanCommand(restore, host)
  registerExportCommand(restore, host)
  registerRestoreGroupCommand(restore, host)
  registerRestoreSwapCommand(restore, host)

  defineCommand<RestoreRunOptions>(restore, host, {
    usage: 'run',
    summary: 'make a new disk or snapshot from a recovery point; refuses to touch what is there',
    examples: [
      'restore run --target https://account.blob.core.windows.net/backups --point 20261122T101500Z-0123456789ab \\\n' +
        '      --to-disk /subscriptions/…/disks/data-restored --region westeurope --wait',
    ],
    configure: (command) =>
      withRestoreOptions(command)
        .option('--wait', 'wait for the end, and end as the run does')
        .option('--follow', 'like --wait, and join a restore of this disk that is already open')
        .option('--yes', 'show no plan and do not ask first (without a terminal nobody is asked)'),
    run: async ({ output, load, withTemporal }, options) => {
      const input = restoreInputOf(options)
      const toId = toIdOf(input)
      // Nobody is asked in a script or with --yes, and a restore that may be open already has nothing to plan.
      if (canAsk(host) && options.yes !== true && options.follow !== true) {
        const { settings, config } = await load()
        const engine = await createEngine(settings.azure)
        await agreeToRestore(engine, input, { output, host, mayAsk: true, prices: config.prices, isPreview: true })
      }
      await withTemporal(async (link, { settings }) => {
        const run = await startRun<typeof restoreDisk>(link, output, {
          workflowType: 'restoreDisk',
          workflowId: restoreWorkflowId(toId),
          args: [input],
          summary: `Restores ${nameOf(toId)} from ${input.pointId ?? nameOf(input.diskId ?? '')}`,
          searchAttributes: [
            { key: diskAttribute, value: resourceKeyOf(toId) },
            { key: targetAttribute, value: targetKeyOf(input.targetUrl) },
          ],
          mayJoin: options.follow === true,
          taskQueuePrefix: settings.worker.taskQueuePrefix,
        })
        await reportRun<RestoreDiskResult>(link, output, run, {
          what: `restore to ${toId}`,
          mustWait: options.wait === true || options.follow === true,
          describe: describeRestore,
        })
      })
    },
  })
}

function nameOf(id: string): string {
  return id.slice(id.lastIndexOf('/') + 1)
}
