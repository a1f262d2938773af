/** `snapferry policy`: the policies of snapferry.yaml as Schedules in Temporal. */
import type { Command } from 'commander'
import { BackupError } from '../../domain/failures.ts'
import type { TemporalLink } from '../../temporal/connect.ts'
import { ensureSearchAttributes } from '../../temporal/ensure-search-attributes.ts'
import { defineCommand, type CommandContext, type Host } from '../command.ts'
import { pauseDrills } from '../drill-schedules.ts'
import { applyPolicies, deletePolicy, describePolicies, policyHandle, type AppliedPolicy } from '../schedules.ts'
import { policyRowOf, renderPolicies } from '../policy-list.ts'

export function registerPolicyCommands(program: Command, host: Host): void {
  const policy = program.command('policy').description('apply, list and steer policies')
  registerApply(policy, host)

  defineCommand(policy, host, {
    usage: 'list',
    summary: 'list the policies with next and last run, and what is open or was missed',
    examples: ['policy list', 'policy list --json'],
    run: async ({ output, withTemporal }) =>
      withTemporal(async (link) => {
        const rows = (await describePolicies(link)).map(policyRowOf)
        output.result(rows, renderPolicies(rows, Date.now(), output.resultColumns))
      }),
  })

  const withReason = (command: Command) => command.option('--reason <text>', 'kept with the policy for whoever wonders')

  defineCommand<{ reason?: string }>(policy, host, {
    usage: 'pause <name>',
    summary: 'start no more runs and drills; one that is open goes on, and silence of drills is still told',
    examples: ['policy pause nightly --reason "storage account is being moved"'],
    configure: withReason,
    run: (context, { reason }, [name = '']) =>
      steer(context, name, 'paused', async (handle, link) => {
        const why = reason ?? 'paused by snapferry policy pause'
        await handle.pause(why)
        await pauseDrills(link, name, true, why)
      }),
  })

  defineCommand<{ reason?: string }>(policy, host, {
    usage: 'resume <name>',
    summary: 'start runs and drills again at the next time',
    examples: ['policy resume nightly'],
    configure: withReason,
    run: (context, { reason }, [name = '']) =>
      steer(context, name, 'resumed', async (handle, link) => {
        const why = reason ?? 'resumed by snapferry policy resume'
        await handle.unpause(why)
        await pauseDrills(link, name, false, why)
      }),
  })

  defineCommand(policy, host, {
    usage: 'trigger <name>',
    summary: 'run the policy now, except for disks whose backup is open',
    examples: ['policy trigger nightly'],
    run: (context, _options, [name = '']) => steer(context, name, 'triggered', (handle) => handle.trigger()),
  })

  defineCommand(policy, host, {
    usage: 'delete <name>',
    summary: 'delete the schedules of a policy; its recovery points stay',
    examples: ['policy delete nightly'],
    run: (context, _options, [name = '']) => steer(context, name, 'deleted', (_handle, link) => deletePolicy(link, name)),
  })
}

function registerApply(policy: Command, host: Host): void {
  defineCommand<{ file?: string; prune?: boolean; dryRun?: boolean }>(policy, host, {
    usage: 'apply',
    summary: 'bring the schedules to what the file says; a second time changes nothing',
    examples: ['policy apply', 'policy apply --file snapferry.yaml --dry-run'],
    configure: (command) =>
      command
        .option('--file <file>', 'the policies (default: the config file); without a config file, the settings as well')
        .option('--prune', 'delete the schedules of policies of this task queue that the file does not have')
        .option('--dry-run', 'only show what would be done'),
    run: async ({ output, load, withTemporal }, { file, prune = false, dryRun = false }) => {
      const usual = await load()
      const isAlone = usual.configPath === undefined
      const { config, configPath } = file === undefined ? usual : await load(file)
      await withTemporal(async (link, { settings }) => {
        if (config.policies.length === 0) {
          throw new BackupError({
            type: 'InvalidConfig',
            message: `${configPath ?? 'no config file was found, so it'} has no policies; name a file with --file`,
          })
        }
        for (const warning of config.warnings) output.warn(warning)
        const isUnheeded = !isAlone && configPath !== usual.configPath && [config.temporal, config.worker].some((part) => Object.keys(part).length > 0)
        if (isUnheeded) output.warn(`the settings of ${usual.configPath} hold, those in ${configPath} are not used`)
        if (!dryRun) await ensureSearchAttributes(link.connection.operatorService, link.namespace)
        const { taskQueuePrefix } = settings.worker
        const applied = await applyPolicies(link, config.policies, { taskQueuePrefix, prune, dryRun })
        output.result(applied, applied.map((one) => `${lineOf(one)}${dryRun ? ' (not done)' : ''}`).join('\n'))
      }, isAlone ? file : undefined)
    },
  })
}

function lineOf({ name, outcome, changes, isPaused }: AppliedPolicy): string {
  const what = changes === undefined ? '' : `: ${changes.join(', ')}`
  const paused = isPaused === true ? ', paused' : ''
  const hint = outcome === 'not in the file' ? '; it goes on, --prune deletes it' : ''
  return `${name} ${outcome}${what}${paused}${hint}`
}

type PolicyHandle = ReturnType<typeof policyHandle>

async function steer(
  { output, withTemporal }: CommandContext,
  name: string,
  done: string,
  act: (handle: PolicyHandle, link: TemporalLink) => Promise<void>,
): Promise<void> {
  await withTemporal(async (link) => {
    await act(policyHandle(link, name), link)
    output.result({ name, outcome: done }, `${name} ${done}`)
  })
}
