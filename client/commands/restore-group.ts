/** `snapferry restore group`: the disks of a virtual machine together, all or none, and what attaches them. */
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Command } from 'commander'
import { parseArmId, parseVmId } from '../../domain/arm-id.ts'
import { bicepOf, storageProfileOf } from '../../domain/attachment.ts'
import { BackupError } from '../../domain/failures.ts'
import { restoreGroupWorkflowId, targetKeyOf } from '../../domain/names.ts'
import { parseTargetUrl } from '../../domain/target-url.ts'
import type { GroupChoice, GroupPlan } from '../../engine/plan-group.ts'
import type { restoreGroup } from '../../workflows/index.ts'
import type { RestoreGroupResult } from '../../workflows/messages.ts'
import { targetAttribute } from '../../workflows/search-attributes.ts'
import { requireInstant } from '../arguments.ts'
import { defineCommand, type Host } from '../command.ts'
import { canAsk, confirm } from '../confirm.ts'
import { createEngine } from '../engine.ts'
import { formatInstant, formatRelative, formatSeconds, plural } from '../format.ts'
import { reportEnd, reportRun } from '../report-run.ts'
import { wayOf, withWayOptions, type WayOptions } from '../restore-options.ts'
import { startRun } from '../start-run.ts'
import { renderTable } from '../table.ts'

interface GroupOptions extends WayOptions {
  readonly target: string
  readonly vm?: string
  readonly disks?: readonly string[]
  readonly at?: string
  readonly toResourceGroup: string
  readonly toSubscription?: string
  readonly suffix: string
  readonly verified?: boolean
  readonly allowSuspect?: boolean
  readonly partial?: boolean
  readonly out?: string
  readonly wait?: boolean
  readonly yes?: boolean
}

export function registerRestoreGroupCommand(restore: Command, host: Host): void {
  defineCommand<GroupOptions>(restore, host, {
    usage: 'group',
    summary: 'make new disks from the points of a virtual machine, all or none, and say how to attach them',
    examples: [
      'restore group --target https://account.blob.core.windows.net/backups \\\n' +
        '      --vm /subscriptions/…/virtualMachines/web --at 2026-11-22T10:15:00Z \\\n' +
        '      --to-resource-group restored --region westeurope --wait --out attach',
    ],
    configure: (command) =>
      withWayOptions(
        command
          .requiredOption('--target <url>', 'URL of the container that holds the backups')
          .option('--vm <id>', 'all disks that this virtual machine had, by the word of their points')
          .option('--disks <ids...>', 'instead of --vm: these disks')
          .option('--at <time>', 'the newest points at or before this instant (default: the newest)')
          .requiredOption('--to-resource-group <name>', 'resource group of the disks to make')
          .option('--to-subscription <id>', 'subscription of the disks to make (default: that of each source disk)')
          .option('--suffix <text>', 'goes behind the name of each disk', '-restored'),
      )
        .option('--verified', 'only points of whose bytes at least a part was compared with their digests since they were sealed')
        .option('--allow-suspect', 'also points whose bytes were found to differ from their digests')
        .option('--partial', 'keep what could be restored when a disk fails or has no point')
        .option('--out <folder>', 'with --wait: write attach.json and attach.bicep there, which attach the disks')
        .option('--wait', 'wait for the end, and end as the run does')
        .option('--yes', 'do not ask first (without a terminal nobody is asked)'),
    run: async ({ output, load, withTemporal }, options) => {
      const choice = groupChoiceOf(options)
      const how = { ...wayOf(options), ...(choice.allowsSuspect === true && { allowsSuspect: true }) }
      const engine = await createEngine((await load()).settings.azure)
      const { planGroup } = await import('../../engine/plan-group.ts')
      const plan = await planGroup(engine, choice)
      output.note(renderGroup(plan, Date.now()))
      if (options.yes !== true && canAsk(host)) await confirm(host, `restore ${plural(plan.members.length, 'disk')}?`)
      await withTemporal(async (link, { settings }) => {
        const run = await startRun<typeof restoreGroup>(link, output, {
          workflowType: 'restoreGroup',
          workflowId: restoreGroupWorkflowId(plan.members.map(({ toDiskId }) => toDiskId)),
          args: [{ targetUrl: choice.targetUrl, members: plan.members, how, isPartial: choice.isPartial }],
          summary: `Restores ${plural(plan.members.length, 'disk')} to ${choice.toResourceGroup}`,
          searchAttributes: [{ key: targetAttribute, value: targetKeyOf(choice.targetUrl) }],
          mayJoin: false,
          taskQueuePrefix: settings.worker.taskQueuePrefix,
        })
        const what = `restore of ${plural(plan.members.length, 'disk')}`
        if (options.wait !== true) return reportRun(link, output, run, { what, mustWait: false, describe: () => '' })
        await reportEnd<RestoreGroupResult & { attach?: unknown }>(link, output, run, {
          what,
          describe: describeGroup,
          complete: async (result) => {
            const profile = storageProfileOf(result.members.filter(({ outcome }) => outcome === 'restored').map(attachable))
            if (options.out !== undefined) await writeFragments(options.out, profile)
            return { ...result, attach: profile }
          },
        })
      })
    },
  })
}

function attachable({ toDiskId, attachment }: RestoreGroupResult['members'][number]) {
  return { resourceId: toDiskId, ...(attachment && { attachment }) }
}

/** @throws BackupError InvalidArgument | InvalidResourceId | InvalidTarget */
function groupChoiceOf(options: GroupOptions): GroupChoice {
  const { target, vm, disks, at, toResourceGroup, toSubscription, suffix, verified = false, allowSuspect = false, partial = false, out, wait } = options
  if ((vm === undefined) === (disks === undefined)) {
    throw new BackupError({ type: 'InvalidArgument', message: 'say which disks: either --vm ID, or --disks ID ID …' })
  }
  if (out !== undefined && wait !== true) throw new BackupError({ type: 'InvalidArgument', message: '--out goes with --wait: there is nothing to attach before the end' })
  if (!/^[A-Za-z0-9._-]{1,40}$/.test(suffix)) throw new BackupError({ type: 'InvalidArgument', message: `--suffix is "${suffix}"; expected letters, digits, dots, hyphens or underscores` })
  return {
    targetUrl: parseTargetUrl(target).url,
    ...(vm !== undefined && { vmId: parseVmId(vm).id }),
    ...(disks !== undefined && { diskIds: disks.flatMap((text) => text.split(',')).map((id) => parseArmId(id, 'disks').id) }),
    ...(at !== undefined && { at: requireInstant('--at', at) }),
    toResourceGroup,
    ...(toSubscription !== undefined && { toSubscriptionId: toSubscription }),
    suffix,
    ...(verified && { mustBeVerified: true }),
    ...(allowSuspect && { allowsSuspect: true }),
    isPartial: partial,
  }
}

function renderGroup({ members, spreadMs, notes }: GroupPlan, nowMs: number): string {
  const table = renderTable(
    ['DISK', 'POINT', 'HOLDS', 'AGE', 'ATTACHED AS', 'MAKES'],
    members.map(({ diskId, pointId, takenAt, toDiskId, attachment }) => [
      parseArmId(diskId, 'disks').name,
      pointId,
      formatInstant(takenAt),
      formatRelative(takenAt, nowMs),
      attachment === undefined ? '-' : attachment.role === 'os' ? 'OS disk' : `LUN ${attachment.lun ?? '?'}`,
      parseArmId(toDiskId, 'disks').name,
    ]),
  )
  const spread = spreadMs === 0 ? [] : [`note    the points lie ${formatSeconds(spreadMs / 1000)} apart: no state of all disks at one instant`]
  return [table, ...spread, ...notes.map((note) => `note    ${note}`)].join('\n')
}

function describeGroup({ members }: RestoreGroupResult): string {
  return members.map(({ outcome, toDiskId, pointId, reason }) => (outcome === 'restored' ? `disk ${toDiskId} holds point ${pointId}` : `FAILED ${toDiskId}: ${reason}`)).join('\n')
}

async function writeFragments(folder: string, profile: ReturnType<typeof storageProfileOf>): Promise<void> {
  await mkdir(folder, { recursive: true })
  await writeFile(path.join(folder, 'attach.json'), `${JSON.stringify({ storageProfile: profile }, null, 2)}\n`)
  await writeFile(path.join(folder, 'attach.bicep'), bicepOf(profile))
}
