/** `snapferry verify`: compares a recovery point with its digests. */
import type { Command } from 'commander'
import { diskKeyOf, targetKeyOf, verifyWorkflowId } from '../../domain/names.ts'
import { VERIFY_LEVELS } from '../../domain/point-check.ts'
import type { verifyPoint } from '../../workflows/index.ts'
import type { VerifyPointInput, VerifyPointResult } from '../../workflows/messages.ts'
import { diskAttribute, targetAttribute } from '../../workflows/search-attributes.ts'
import { invalidArgument, requireChoice, requireCount, requireSeed } from '../arguments.ts'
import { defineCommand, type Host } from '../command.ts'
import { describeVerification } from '../describe-result.ts'
import { pointChoiceOf, withPointOptions, type PointOptions } from '../point-choice.ts'
import { reportRun } from '../report-run.ts'
import { startRun } from '../start-run.ts'

interface VerifyRunOptions extends PointOptions {
  readonly level?: string
  readonly percent?: string
  readonly seed?: string
  readonly wait?: boolean
  readonly follow?: boolean
}

export function registerVerifyCommands(program: Command, host: Host): void {
  const verify = program.command('verify').description('prove that a recovery point still holds what was backed up')

  defineCommand<VerifyRunOptions>(verify, host, {
    usage: 'run',
    summary: 'compare a recovery point with its digests, or with its source snapshot as well',
    examples: [
      'verify run --target https://account.blob.core.windows.net/backups --disk /subscriptions/…/disks/data --level full --wait',
      'verify run --target https://account.blob.core.windows.net/backups --point 20261122T101500Z-0123456789ab --level sample --percent 10 --wait',
    ],
    configure: (command) =>
      withPointOptions(command)
        .option('--level <level>', 'structure (lists and tables only), sample, full, or source (full, and the source snapshot while it lives)', 'sample')
        .option('--percent <p>', 'with --level sample or source: how much is read (default 5 of sample, all of source)')
        .option('--seed <n>', 'with --percent: repeats the sample of an earlier verification')
        .option('--wait', 'wait for the end, and end as the run does')
        .option('--follow', 'like --wait, and join a verification that is already open'),
    run: async ({ output, withTemporal }, options) => {
      const input = verifyInputOf(options)
      const { targetUrl, diskId, level } = input
      await withTemporal(async (link, { settings }) => {
        const run = await startRun<typeof verifyPoint>(link, output, {
          workflowType: 'verifyPoint',
          workflowId: verifyWorkflowId(targetUrl, input),
          args: [input],
          summary: `Verifies ${input.pointId ?? 'the newest point'}, ${level}`,
          searchAttributes: [
            ...(diskId === undefined ? [] : [{ key: diskAttribute, value: diskKeyOf(diskId) }]),
            { key: targetAttribute, value: targetKeyOf(targetUrl) },
          ],
          mayJoin: options.follow === true,
          taskQueuePrefix: settings.worker.taskQueuePrefix,
        })
        await reportRun<VerifyPointResult>(link, output, run, {
          what: `verification in ${targetUrl}`,
          mustWait: options.wait === true || options.follow === true,
          describe: describeVerification,
        })
      })
    },
  })
}

/** @throws BackupError InvalidArgument | InvalidResourceId | InvalidTarget */
function verifyInputOf(options: VerifyRunOptions): VerifyPointInput {
  const level = requireChoice('--level', options.level, VERIFY_LEVELS) ?? 'sample'
  const { percent, seed } = options
  for (const [option, text] of Object.entries({ '--percent': percent, '--seed': seed })) {
    if (text !== undefined && level !== 'sample' && level !== 'source') throw invalidArgument(option, text, 'expected --level sample or source beside it')
  }
  if (seed !== undefined && percent === undefined && level === 'source') throw invalidArgument('--seed', seed, 'expected --percent beside it: without, all is read')
  if (percent !== undefined && requireCount('--percent', percent) > 100) throw invalidArgument('--percent', percent, 'expected 1 to 100')
  return {
    ...pointChoiceOf(options),
    level,
    ...(percent !== undefined && { percent: Number(percent) }),
    ...(seed !== undefined && { seed: requireSeed('--seed', seed) }),
  }
}
