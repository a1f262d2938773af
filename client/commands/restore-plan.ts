/** `snapferry restore plan`: what a restore would do. Makes nothing; needs neither Temporal nor a worker. */
import type { Command } from 'commander'
import { defineCommand, type Host } from '../command.ts'
import { createEngine } from '../engine.ts'
import { renderPlan } from '../restore-plan.ts'
import { restoreInputOf, withRestoreOptions, type RestoreOptions } from '../restore-options.ts'

export function registerRestorePlanCommand(restore: Command, host: Host): void {
  defineCommand<RestoreOptions>(restore, host, {
    usage: 'plan',
    summary: 'say what a restore would do and what stands in its way; makes nothing',
    examples: [
      'restore plan --target https://account.blob.core.windows.net/backups --disk /subscriptions/…/disks/data \\\n' +
        '      --to-disk /subscriptions/…/disks/data-restored --region westeurope',
    ],
    configure: withRestoreOptions,
    run: async ({ output, load }, options) => {
      const input = restoreInputOf(options)
      const { settings, config } = await load()
      const engine = await createEngine(settings.azure)
      const { surveyRestore, obstaclesOf } = await import('../../engine/survey-restore.ts')
      const survey = await surveyRestore(engine, { ...input, requestId: 'plan' }, config.prices)
      const obstacles = obstaclesOf(survey)
      output.result({ ...survey, obstacles }, renderPlan(survey, obstacles, Date.now()))
    },
  })
}
