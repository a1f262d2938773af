/** `snapferry drill`: restores that are tried out, timed and taken away again, and what they have found. */
import { Option, type Command } from 'commander'
import type { PolicySpec } from '../../config/policy-file.ts'
import { parseArmId } from '../../domain/arm-id.ts'
import { DEFAULT_DRILL_TIMEOUT_MINUTES, type DrillRule } from '../../domain/drill.ts'
import type { DrillResult } from '../../domain/drill-result.ts'
import { BackupError } from '../../domain/failures.ts'
import { diskKeyOf, drillScheduleId, drillWorkflowId, targetKeyOf } from '../../domain/names.ts'
import { parseTargetUrl } from '../../domain/target-url.ts'
import type { drillPolicy, drillRestore } from '../../workflows/index.ts'
import type { DrillPolicyResult } from '../../workflows/messages.ts'
import { diskAttribute, policyAttribute, targetAttribute } from '../../workflows/search-attributes.ts'
import { Alarm } from '../alarm.ts'
import { requireCount, requireRegion } from '../arguments.ts'
import { defineCommand, type Host } from '../command.ts'
import { alarmsOf, describeDrill, describeDrills, drillListOf, onlyDisk, renderDrills } from '../drill-list.ts'
import { readDrills } from '../read-drills.ts'
import { reportRun } from '../report-run.ts'
import { startRun } from '../start-run.ts'

interface DrillRunOptions {
  readonly policy?: string
  readonly target?: string
  readonly disk?: string
  readonly region?: string
  readonly resourceGroup?: string
  readonly point?: string
  readonly timeoutMinutes?: string
  readonly wait?: boolean
  readonly follow?: boolean
}

export function registerDrillCommands(program: Command, host: Host): void {
  const drill = program.command('drill').description('try out restores, and see when that was last done')

  defineCommand<{ target: string; disk?: string }>(drill, host, {
    usage: 'list',
    summary: 'the last drill of each disk and what is overdue; ends with 3 where one failed or is overdue. Needs the target only',
    examples: ['drill list --target https://account.blob.core.windows.net/backups'],
    configure: (command) =>
      command
        .requiredOption('--target <url>', 'URL of the container that holds the backups')
        .option('--disk <id>', 'only drills of this disk'),
    run: async ({ output, load }, { target, disk }) => {
      const targetUrl = parseTargetUrl(target).url
      const diskId = disk === undefined ? undefined : parseArmId(disk, 'disks').id
      const { settings, config } = await load()
      const { results, policies } = await readDrills(settings.azure, config.policies, targetUrl)
      const list = onlyDisk(drillListOf(results, policies, new Date().toISOString()), diskId)
      output.result(list, list.disks.length === 0 ? `no drills in ${targetUrl}` : renderDrills(list, Date.now(), output.resultColumns))
      const alarms = alarmsOf(list)
      if (alarms.length > 0) throw new Alarm(alarms.join('\n'))
    },
  })

  defineCommand<DrillRunOptions>(drill, host, {
    usage: 'run [command...]',
    summary: 'restore a point to a throw-away disk, compare all bytes, run a command on its image, delete it again',
    examples: [
      'drill run --policy nightly --wait',
      'drill run --target https://account.blob.core.windows.net/backups --disk /subscriptions/…/disks/data --region northeurope --resource-group drills --wait -- node examples/fsck-ext4.mjs',
    ],
    configure: (command) =>
      command
        .option('--policy <name>', 'drill as this policy of the file says')
        .option('--target <url>', 'without a policy: URL of the container that holds the backups')
        .option('--disk <id>', 'without a policy: the disk that was backed up')
        .option('--region <name>', 'without a policy: region of the throw-away disk')
        .option('--resource-group <name>', "without a policy: resource group of the throw-away disk, in the disk's subscription")
        .option('--point <which>', 'without a policy: newest, random, or the id of a point (default: newest)')
        .addOption(new Option('--timeout-minutes <n>', 'without a policy: a drill that takes longer fails (default: 1440)'))
        .option('--wait', 'wait for the end, and end as the run does')
        .option('--follow', 'like --wait, and join a drill that is already open'),
    run: async ({ output, withTemporal }, options, command) => {
      const mustWait = options.wait === true || options.follow === true
      const one = options.policy === undefined ? drillInputOf(options, command) : undefined
      await withTemporal(async (link, { settings, config }) => {
        const { taskQueuePrefix } = settings.worker
        const common = { mayJoin: options.follow === true, taskQueuePrefix }
        if (one !== undefined) {
          const { diskId, targetUrl } = one
          const run = await startRun<typeof drillRestore>(link, output, {
            ...common,
            workflowType: 'drillRestore',
            workflowId: drillWorkflowId(diskId, targetUrl),
            args: [one],
            summary: `Drills the restore of ${parseArmId(diskId, 'disks').name} in ${one.rule.region}`,
            searchAttributes: [
              { key: diskAttribute, value: diskKeyOf(diskId) },
              { key: targetAttribute, value: targetKeyOf(targetUrl) },
            ],
          })
          return reportRun<DrillResult>(link, output, run, { what: `drill of disk ${diskId}`, mustWait, describe: describeDrill })
        }
        const { policy, drill: spec } = requireDrillPolicy(config.policies, options, command)
        const run = await startRun<typeof drillPolicy>(link, output, {
          ...common,
          workflowType: 'drillPolicy',
          workflowId: drillScheduleId(policy.name),
          args: [{ policy: policy.name, targetUrl: policy.targetUrl, diskIds: policy.diskIds, rule: spec.rule }],
          summary: `Drills policy ${policy.name}`,
          searchAttributes: [{ key: policyAttribute, value: policy.name }],
        })
        return reportRun<DrillPolicyResult>(link, output, run, { what: `drill of policy ${policy.name}`, mustWait, describe: describeDrills })
      })
    },
  })
}

/** @throws BackupError InvalidArgument | InvalidResourceId | InvalidTarget */
function drillInputOf({ target, disk, region, resourceGroup, point = 'newest', timeoutMinutes }: DrillRunOptions, command: readonly string[]) {
  if (target === undefined || disk === undefined || region === undefined || resourceGroup === undefined) {
    throw invalid('name a policy with --policy, or --target, --disk, --region and --resource-group')
  }
  const isById = point !== 'newest' && point !== 'random'
  const rule: DrillRule = {
    region: requireRegion('--region', region),
    resourceGroup,
    point: isById ? 'newest' : point,
    disks: 'one',
    ...(command.length > 0 && { command }),
    timeoutMinutes: timeoutMinutes === undefined ? DEFAULT_DRILL_TIMEOUT_MINUTES : requireCount('--timeout-minutes', timeoutMinutes),
    // Nobody waits for the next one.
    alertAfterMs: 0,
  }
  return { targetUrl: parseTargetUrl(target).url, diskId: parseArmId(disk, 'disks').id, rule, ...(isById && { pointId: point }) }
}

function requireDrillPolicy(
  specs: readonly PolicySpec[],
  options: DrillRunOptions,
  command: readonly string[],
): PolicySpec & Required<Pick<PolicySpec, 'drill'>> {
  const { policy: name, target, disk, region, resourceGroup, point, timeoutMinutes } = options
  if (command.length > 0 || [target, disk, region, resourceGroup, point, timeoutMinutes].some((value) => value !== undefined)) {
    throw invalid('a policy says all by itself; leave the other options out')
  }
  const spec = specs.find(({ policy }) => policy.name === name)
  if (spec === undefined) throw new BackupError({ type: 'RunNotFound', message: `the config file has no policy ${name}` })
  if (spec.drill === undefined) throw invalid(`policy ${name} has no key \`drill\``)
  return { ...spec, drill: spec.drill }
}

function invalid(message: string): BackupError {
  return new BackupError({ type: 'InvalidArgument', message })
}
