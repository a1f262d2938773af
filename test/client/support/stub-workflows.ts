/**
 * Workflows with the names, ids and queries of the real ones and no Azure behind them: what the command line shows
 * and how it ends depends on Temporal alone. The name of the disk says how a run behaves.
 */
import { ApplicationFailure, condition, setHandler, sleep, upsertSearchAttributes } from '@temporalio/workflow'
import type {
  BackupDiskInput,
  BackupDiskResult,
  Progress,
  RunPolicyInput,
  RunPolicyResult,
} from '../../../workflows/messages.ts'
import { progressQuery } from '../../../workflows/messages.ts'
import { kindAttribute, phaseAttribute } from '../../../workflows/search-attributes.ts'
import { aRecoveryPoint } from './recovery-points.ts'

/** Disks `open…` never end, `denied…` fail, `slow…` take a second, others end at once. */
export async function backupDisk(input: BackupDiskInput): Promise<BackupDiskResult> {
  const progress: Progress = {
    phase: 'transfer',
    kind: 'incremental',
    totalBytes: 4096,
    movedBytes: 1024,
    extentsDone: 1,
    extentCount: 4,
    round: 1,
    startedAt: { transfer: new Date(Date.now() - 1000).toISOString() },
  }
  setHandler(progressQuery, () => progress)
  upsertSearchAttributes([
    { key: phaseAttribute, value: 'transfer' },
    { key: kindAttribute, value: 'incremental' },
  ])
  const name = input.diskId.split('/').at(-1) ?? ''
  if (name.startsWith('open')) await condition(() => false)
  if (name.startsWith('slow')) await sleep(1000)
  if (name.startsWith('denied')) {
    throw ApplicationFailure.create({
      type: 'AccessDenied',
      message: 'Microsoft.Compute/disks/read is missing',
      nonRetryable: true,
    })
  }
  return { point: aRecoveryPoint({ diskId: input.diskId }), warnings: ['stubbed'] }
}

export async function runPolicy({ policy }: RunPolicyInput): Promise<RunPolicyResult> {
  return { disks: policy.diskIds.map((diskId) => ({ diskId, outcome: 'succeeded' })) }
}
