/** `snapferry run`: joins or cancels a run by the id that other commands show. */
import type { Command } from 'commander'
import { BackupError } from '../../domain/failures.ts'
import type { TemporalLink } from '../../temporal/connect.ts'
import { defineCommand, type Host } from '../command.ts'
import { describeBackup, describePolicyRun, describeRestore, describeVerification } from '../describe-result.ts'
import { describeDrill, describeDrills } from '../drill-list.ts'
import { formatInstant } from '../format.ts'
import type { Output } from '../output.ts'
import { reportEnd } from '../report-run.ts'
import type { RunReference } from '../start-run.ts'

export function registerRunCommands(program: Command, host: Host): void {
  const run = program.command('run').description('follow or cancel a run')

  defineCommand(run, host, {
    usage: 'follow <id>',
    summary: 'wait for a run and end as it does; prints its result',
    examples: ['run follow backup/data-3f9a0c12/account.backups-1b2c3d4e'],
    run: async ({ output, withTemporal }, _options, [id = '']) =>
      withTemporal(async (link) => {
        const { runId, type } = await link.client.workflow.getHandle(id).describe()
        await follow(link, output, { workflowId: id, runId }, type)
      }),
  })

  defineCommand(run, host, {
    usage: 'cancel <id>',
    summary: 'ask a run to stop; it revokes its access and removes what it made for itself',
    examples: ['run cancel backup/data-3f9a0c12/account.backups-1b2c3d4e'],
    run: async ({ output, withTemporal }, _options, [id = '']) =>
      withTemporal(async (link) => {
        const handle = link.client.workflow.getHandle(id)
        const { status, closeTime } = await handle.describe()
        // The server takes the request for a run that has ended as well, and does nothing.
        if (closeTime !== undefined) throw notOpen(id, status.name, closeTime)
        await handle.cancel()
        output.result(
          { workflowId: id, outcome: 'cancel requested' },
          `${id} was asked to stop; older recovery points are not touched`,
        )
      }),
  })
}

function follow(link: TemporalLink, output: Output, run: RunReference, type: string): Promise<void> {
  const what = `run ${run.workflowId}`
  switch (type) {
    case 'backupDisk':
      return reportEnd(link, output, run, { what, describe: describeBackup })
    case 'restoreDisk':
      return reportEnd(link, output, run, { what, describe: describeRestore })
    case 'verifyPoint':
      return reportEnd(link, output, run, { what, describe: describeVerification })
    case 'drillRestore':
      return reportEnd(link, output, run, { what, describe: describeDrill })
    case 'drillPolicy':
      return reportEnd(link, output, run, { what, describe: describeDrills })
    case 'runPolicy':
      return reportEnd(link, output, run, { what, describe: describePolicyRun })
    default:
      return reportEnd(link, output, run, { what, describe: (result: object) => JSON.stringify(result, null, 2) })
  }
}

function notOpen(workflowId: string, status: string, endedAt: Date): BackupError {
  return new BackupError({
    type: 'RunNotFound',
    message: `run ${workflowId} is not open: it ended as ${status.toLowerCase()} at ${formatInstant(endedAt)}`,
    facts: { workflowId, status },
  })
}
