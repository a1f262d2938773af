import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { Client } from '@temporalio/client'
import {
  bundleWorkflowCode,
  DefaultLogger,
  NativeConnection,
  Runtime,
  Worker,
  type WorkflowBundleOption,
} from '@temporalio/worker'
import { backupWorkflowId, restoreWorkflowId, verifyWorkflowId } from '../../domain/names.ts'
import type { BackupDiskInput } from '../../workflows/messages.ts'
import { temporalAddress } from '../support/environment.ts'
import { runCli, type CliResult } from './support/cli.ts'

const TARGET = 'https://account.blob.core.windows.net/backups'

let connection: NativeConnection
let client: Client
let workflowBundle: WorkflowBundleOption
let openRuns: string[] = []

beforeAll(async () => {
  // The command line under test gets the Ctrl-C, not the worker beside it.
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] })
  connection = await NativeConnection.connect({ address: temporalAddress() })
  client = new Client({ connection })
  workflowBundle = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('support/stub-workflows.ts', import.meta.url)),
    logger: new DefaultLogger('ERROR'),
  })
})

afterEach(async () => {
  for (const id of openRuns)
    await client.workflow
      .getHandle(id)
      .terminate()
      .catch(() => undefined)
  openRuns = []
})

afterAll(async () => {
  await connection.close()
})

/** A disk of its own for each test: the runs of all tests live in one namespace. */
function newDisk(behaviour: string): string {
  const id = `/subscriptions/s/resourceGroups/rg${Date.now()}/providers/Microsoft.Compute/disks/${behaviour}`
  openRuns.push(backupWorkflowId(id, TARGET))
  return id
}

const cliOn =
  (queue: string) =>
  (...argv: string[]): Promise<CliResult> =>
    runCli(argv, { TEMPORAL_ADDRESS: temporalAddress(), SNAPFERRY_TASK_QUEUE: queue })

/** Serves both planes while `work` goes on. */
async function withWorker(queue: string, work: () => Promise<void>): Promise<void> {
  const control = await Worker.create({ connection, workflowBundle, taskQueue: `${queue}-control` })
  const data = await Worker.create({
    connection,
    taskQueue: `${queue}-data`,
    activities: { idle: () => Promise.resolve() },
  })
  const serving = data.run()
  try {
    await control.runUntil(work)
  } finally {
    data.shutdown()
    await serving
  }
}

describe('with a worker', () => {
  const cli = cliOn('run-test')

  test('backup run --wait ends as the run does, with the result on stdout and progress on stderr', async () => {
    await withWorker('run-test', async () => {
      const disk = newDisk('slow')
      const { exitCode, stdout, stderr } = await cli(
        'backup',
        'run',
        '--disk',
        disk,
        '--target',
        TARGET,
        '--wait',
        '--json',
      )
      expect(exitCode).toBe(0)
      expect(JSON.parse(stdout)).toMatchObject({ point: { diskId: disk, kind: 'incremental' }, warnings: ['stubbed'] })
      expect(stderr).toContain('transfer: 1.00 KiB of 4.00 KiB')
      expect(stderr).toContain('warning: stubbed')
    })
  })

  test('a run that fails gives the exit code and the message of its failure', async () => {
    await withWorker('run-test', async () => {
      const args = ['backup', 'run', '--disk', newDisk('denied'), '--target', TARGET, '--wait']
      const { exitCode, stdout, stderr } = await cli(...args)
      expect({ exitCode, stdout }).toEqual({ exitCode: 6, stdout: '' })
      expect(stderr).toContain('Microsoft.Compute/disks/read is missing')
      expect(JSON.parse((await cli(...args, '--json')).stdout)).toMatchObject({
        error: { type: 'AccessDenied', exitCode: 6 },
      })
    })
  })

  test('a second run of a disk is refused and names the open one; --follow joins it', async () => {
    await withWorker('run-test', async () => {
      const args = ['backup', 'run', '--disk', newDisk('slow'), '--target', TARGET]
      const first = await cli(...args, '--json')
      const { workflowId, runId } = JSON.parse(first.stdout) as { workflowId: string; runId: string }
      const second = await cli(...args)
      expect(second.exitCode).toBe(7)
      expect(second.stderr).toContain(workflowId)
      expect(second.stderr).toContain(runId)
      expect(second.stderr).toContain(`You can wait for it with: snapferry run follow ${workflowId}`)
      const joined = await cli(...args, '--follow')
      expect(joined).toMatchObject({ exitCode: 0, stderr: expect.stringContaining(`joined run ${workflowId}`) })
    })
  })

  test('status shows phase, kind, progress and rate of an open run', async () => {
    await withWorker('run-test', async () => {
      const disk = newDisk('open')
      await cli('backup', 'run', '--disk', disk, '--target', TARGET)
      const workflowId = backupWorkflowId(disk, TARGET)
      await untilVisible(workflowId)
      // A worker on a busy machine may need longer than a status waits.
      const answered = async (): Promise<readonly { workflowId: string; isAnswered: boolean }[]> => {
        for (;;) {
          const runs = JSON.parse((await cli('status', '--json')).stdout) as { workflowId: string; isAnswered: boolean }[]
          if (runs.find((run) => run.workflowId === workflowId)?.isAnswered === true) return runs
        }
      }
      expect(await answered()).toContainEqual(
        expect.objectContaining({
          workflowId,
          status: 'RUNNING',
          phase: 'transfer',
          kind: 'incremental',
          movedBytes: 1024,
          totalBytes: 4096,
          isAnswered: true,
        }),
      )
      const line = (await cli('status')).stdout.split('\n').find((row) => row.startsWith(workflowId))
      expect(line).toMatch(/running\s+incremental\s+transfer\s+25%\s+\d+ B\/s/)
    })
  })

  test('run cancel ends a run that run follow waits for', async () => {
    await withWorker('run-test', async () => {
      const disk = newDisk('open')
      await cli('backup', 'run', '--disk', disk, '--target', TARGET)
      const workflowId = backupWorkflowId(disk, TARGET)
      const following = cli('run', 'follow', workflowId)
      await cli('run', 'cancel', workflowId)
      expect(await following).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('was cancelled') })
    })
  })

  test('run cancel of a run that has ended says so and ends with 4', async () => {
    await withWorker('run-test', async () => {
      const disk = newDisk('quick')
      await cli('backup', 'run', '--disk', disk, '--target', TARGET, '--wait')
      const { exitCode, stdout, stderr } = await cli('run', 'cancel', backupWorkflowId(disk, TARGET))
      expect({ exitCode, stdout }).toEqual({ exitCode: 4, stdout: '' })
      expect(stderr).toMatch(/is not open: it ended as completed at /)
    })
  })

  test('Ctrl-C while waiting leaves the run going and says how to follow it', async () => {
    await withWorker('run-test', async () => {
      const disk = newDisk('open')
      const workflowId = backupWorkflowId(disk, TARGET)
      const waiting = cli('backup', 'run', '--disk', disk, '--target', TARGET, '--wait')
      await untilVisible(workflowId)
      while (process.listenerCount('SIGINT') === 0) await new Promise((resolve) => setTimeout(resolve, 20))
      process.emit('SIGINT')
      expect(await waiting).toMatchObject({
        exitCode: 130,
        stderr: expect.stringContaining(`snapferry run follow ${workflowId}`),
      })
      expect((await client.workflow.getHandle(workflowId).describe()).status.name).toBe('RUNNING')
    })
  })
})

describe('without a worker', () => {
  const cli = cliOn('nobody-polls')

  test('a start warns at once, and status shows the run without figures', async () => {
    const disk = newDisk('open')
    const started = await cli('backup', 'run', '--disk', disk, '--target', TARGET)
    expect(started.exitCode).toBe(0)
    expect(started.stderr).toContain('no worker polls nobody-polls-control and nobody-polls-data')
    const workflowId = backupWorkflowId(disk, TARGET)
    await untilVisible(workflowId)
    const { stdout, stderr } = await cli('status', '--json')
    expect(JSON.parse(stdout)).toContainEqual(
      expect.objectContaining({ workflowId, status: 'RUNNING', isAnswered: false }),
    )
    expect(stderr).toContain('no worker answers')
  })

  test('a restore and a verification warn of the queues that they need themselves', async () => {
    const restored = newDisk('restored')
    openRuns.push(restoreWorkflowId(restored), verifyWorkflowId(TARGET, { diskId: restored }))
    const restore = await cli('restore', 'run', '--target', TARGET, '--disk', newDisk('open'), '--to-disk', restored, '--region', 'westeurope')
    expect(restore.stderr).toContain('no worker polls nobody-polls-control and nobody-polls-restore:')
    const verification = await cli('verify', 'run', '--target', TARGET, '--disk', restored)
    expect(verification.stderr).toContain('no worker polls nobody-polls-control and nobody-polls-verify:')
  })

  test('a run by hand deletes no point unless a policy of the file or --keep-last says so', async () => {
    const retentionOf = async (...options: string[]) => {
      const disk = newDisk('open')
      await cli('backup', 'run', '--disk', disk, '--target', TARGET, ...options)
      const { events } = await client.workflow.getHandle(backupWorkflowId(disk, TARGET)).fetchHistory()
      const data = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0]?.data
      return (JSON.parse(Buffer.from(data ?? []).toString()) as BackupDiskInput).options.retention
    }
    expect(await retentionOf()).toEqual({ keepLast: Number.MAX_SAFE_INTEGER })
    expect(await retentionOf('--keep-last', '3')).toEqual({ keepLast: 3 })
  })
})

test('a server that does not answer ends with 5 and names the address', async () => {
  const result = await runCli(['status'], { TEMPORAL_ADDRESS: '127.0.0.1:1' })
  expect(result).toMatchObject({ exitCode: 5, stderr: expect.stringContaining('127.0.0.1:1') })
})

test('a namespace that is not there ends with 2 and names it', async () => {
  const result = await runCli(['status'], { TEMPORAL_ADDRESS: temporalAddress(), TEMPORAL_NAMESPACE: 'nowhere' })
  expect(result).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('no namespace nowhere') })
})

async function untilVisible(workflowId: string): Promise<void> {
  const { workflowService } = client
  for (;;) {
    const { executions } = await workflowService.listWorkflowExecutions({
      namespace: 'default',
      query: `WorkflowId = '${workflowId}'`,
    })
    if (executions !== undefined && executions !== null && executions.length > 0) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
