/**
 * `snapferry rescue`: everything a restore needs, with nothing but the storage account and a credential. No Temporal, no worker,
 * no source region; the same engine and the same comparison as a restore by workflow.
 */
import { randomUUID } from 'node:crypto'
import type { Command } from 'commander'
import { newestFirst, recoveryPointOf } from '../../domain/recovery-point.ts'
import { parseTargetUrl } from '../../domain/target-url.ts'
import { agreeToRestore } from '../agree-to-restore.ts'
import { defineCommand, type Host } from '../command.ts'
import { describeManifest } from '../describe-manifest.ts'
import { describeRestore } from '../describe-result.ts'
import { createEngine } from '../engine.ts'
import { pointChoiceOf, VERIFIED, withPointOptions, type PointOptions } from '../point-choice.ts'
import { renderPoints, suspicionsOf } from '../points.ts'
import { restoreInputOf, withRestoreOptions, type RestoreOptions } from '../restore-options.ts'
import { workHere } from '../work-here.ts'
import { registerExportCommand } from './export.ts'

const TARGET = 'https://account.blob.core.windows.net/backups'

export function registerRescueCommands(program: Command, host: Host): void {
  const rescue = program.command('rescue').description('restore with nothing but the storage account: no Temporal, no worker')
  registerList(rescue, host)
  registerShow(rescue, host)
  registerRestore(rescue, host)
  registerExportCommand(rescue, host)
}

function registerList(rescue: Command, host: Host): void {
  defineCommand<{ target: string }>(rescue, host, {
    usage: 'list',
    summary: 'list what can be restored, newest first, and what is wrong with the rest',
    examples: [`rescue list --target ${TARGET}`],
    configure: (command) => command.requiredOption('--target <url>', 'URL of the container that holds the backups'),
    run: async ({ output, load }, { target }) => {
      const targetUrl = parseTargetUrl(target).url
      const { settings } = await load()
      const { azure } = await createEngine(settings.azure)
      const { listPoints } = await import('../../azure/manifests.ts')
      const { explainTarget, explainTemporary, inspectTarget } = await import('../../engine/inspect-target.ts')
      const { points, damaged, checks } = await listPoints(azure, targetUrl)
      const inspection = await inspectTarget(azure, targetUrl)
      for (const { blobName, reason } of damaged) output.warn(`damaged, not restorable: ${blobName}: ${reason}`)
      for (const remark of [...explainTarget(inspection), ...inspection.temporaries.map(explainTemporary)]) output.warn(remark)
      const sorted = newestFirst(points.map((point) => recoveryPointOf(point, checks.get(point.id))))
      for (const warning of suspicionsOf(sorted)) output.warn(warning)
      output.result(sorted, sorted.length === 0 ? `nothing to restore in ${targetUrl}` : renderPoints(sorted, Date.now()))
    },
  })
}

function registerShow(rescue: Command, host: Host): void {
  defineCommand<PointOptions & { readonly verified?: boolean }>(rescue, host, {
    usage: 'show',
    summary: 'show a recovery point: what it holds and what kind of disk it becomes',
    examples: [`rescue show --target ${TARGET} --point 20261122T101500Z-0123456789ab`],
    configure: (command) => withPointOptions(command).option('--verified', VERIFIED),
    run: async ({ output, load }, options) => {
      const choice = { ...pointChoiceOf(options), ...(options.verified === true && { mustBeVerified: true }) }
      const { settings } = await load()
      const engine = await createEngine(settings.azure)
      const { choosePoint } = await import('../../engine/choose-point.ts')
      const { manifest, check, warnings } = await choosePoint(engine, { ...choice, allowsSuspect: true })
      for (const warning of warnings) output.warn(warning)
      const { verified, suspect } = check ?? {}
      output.result({ ...manifest, ...(verified && { verified }), ...(suspect && { suspect }) }, describeManifest(manifest, check))
    },
  })
}

function registerRestore(rescue: Command, host: Host): void {
  defineCommand<RestoreOptions & { yes?: boolean }>(rescue, host, {
    usage: 'restore',
    summary: 'make a new disk from a recovery point, in this process; a failure or Ctrl-C takes the disk away again',
    examples: [
      `rescue restore --target ${TARGET} --point 20261122T101500Z-0123456789ab \\\n` +
        '      --to-disk /subscriptions/…/disks/data-restored --region westeurope',
    ],
    configure: (command) =>
      withRestoreOptions(command).option('--yes', 'do not ask first (without a terminal nobody is asked)'),
    run: async ({ output, load }, options) => {
      const input = restoreInputOf(options)
      const { settings, config } = await load()
      const engine = await createEngine(settings.azure)
      await agreeToRestore(engine, input, { output, host, mayAsk: options.yes !== true, prices: config.prices })
      const { planRestore } = await import('../../engine/plan-restore.ts')
      const { restoreToDisk } = await import('../../engine/restore-to-disk.ts')
      const startedAtMs = Date.now()
      const plan = await planRestore(engine, { ...input, requestId: `rescue-${randomUUID()}` })
      const leftBehind = (error: unknown): void =>
        output.warn(`what was half-made is still there (${plan.disk.id}): ${error instanceof Error ? error.message : String(error)}; delete it`)
      const done = await workHere(output, 'stopped; nothing was handed over', (local) =>
        restoreToDisk(engine, plan, { ...local, onLeftBehind: leftBehind }),
      )
      const { origin, disk } = plan
      for (const warning of done.warnings) output.warn(warning)
      const seconds = (Date.now() - startedAtMs) / 1000
      const result = { origin, ...(origin.point && { point: origin.point }), ...done, sizeBytes: disk.sizeBytes, seconds }
      output.result(result, describeRestore(result))
    },
  })
}
