import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals'
import { Client, Connection } from '@temporalio/client'
import { policyScheduleId } from '../../domain/names.ts'
import { temporalAddress } from '../support/environment.ts'
import { runCli, type CliResult } from './support/cli.ts'

const TARGET = 'https://account.blob.core.windows.net/backups'
const DISKS = ['a', 'b'].map((name) => `/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute/disks/${name}`)

let connection: Connection
let client: Client
let folder: string
let names: string[] = []

beforeAll(async () => {
  connection = await Connection.connect({ address: temporalAddress() })
  client = new Client({ connection })
  folder = await mkdtemp(path.join(tmpdir(), 'snapferry-client-'))
})

afterEach(async () => {
  for (const name of names)
    await client.schedule
      .getHandle(policyScheduleId(name))
      .delete()
      .catch(() => undefined)
  names = []
})

afterAll(async () => {
  await connection.close()
  await rm(folder, { recursive: true })
})

function newName(): string {
  const name = `p${Date.now()}${names.length}`
  names.push(name)
  return name
}

async function cli(...argv: string[]): Promise<CliResult> {
  return cliOf('policy-test', ...argv)
}

async function cliOf(taskQueuePrefix: string, ...argv: string[]): Promise<CliResult> {
  return runCli(argv, { TEMPORAL_ADDRESS: temporalAddress(), SNAPFERRY_TASK_QUEUE: taskQueuePrefix })
}

async function apply(policies: Record<string, object>, ...options: string[]): Promise<unknown> {
  const file = path.join(folder, 'snapferry.yaml')
  await writeFile(file, JSON.stringify({ target: TARGET, policies }))
  const { exitCode, stdout, stderr } = await cli('policy', 'apply', '--file', file, '--json', ...options)
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  const applied = JSON.parse(stdout) as { name: string }[]
  return applied.filter(({ name }) => names.includes(name))
}

const describeSchedule = (name: string) => client.schedule.getHandle(policyScheduleId(name)).describe()

test.each([
  ['an interval', { every: '4h', offset: '10m' }],
  ['an interval of odd seconds', { every: '95s' }],
  ['a cron line', { cron: '0 2 * * MON-FRI' }],
  ['a cron line in a time zone', { cron: '*/15 2,14 1 * *', timeZone: 'Europe/Vienna' }],
])('a second apply of %s changes nothing', async (_, schedule) => {
  const name = newName()
  const policies = { [name]: { disks: DISKS, schedule } }
  expect(await apply(policies)).toEqual([{ name, outcome: 'created' }])
  const before = await describeSchedule(name)
  expect(await apply(policies)).toEqual([{ name, outcome: 'unchanged' }])
  expect((await describeSchedule(name)).info.lastUpdatedAt).toEqual(before.info.lastUpdatedAt)
})

test('a schedule starts runPolicy, also beside a run that is open, catches up for one interval and never pauses itself', async () => {
  const name = newName()
  await apply({ [name]: { disks: DISKS, schedule: { every: '4h' } } })
  const { action, policies, spec } = await describeSchedule(name)
  expect(action).toMatchObject({
    workflowType: 'runPolicy',
    workflowId: `policy/${name}`,
    taskQueue: 'policy-test-control',
    args: [{ policy: { name, targetUrl: TARGET, diskIds: DISKS } }],
    staticSummary: 'Backs up 2 disks to account/backups every 4h',
  })
  expect(policies).toEqual({ overlap: 'ALLOW_ALL', catchupWindow: 4 * 3_600_000, pauseOnFailure: false })
  expect(spec.jitter).toBe(600_000)
})

test.each([
  ['--config', (settings: string) => ({ options: ['--config', settings], environment: {} })],
  ['SNAPFERRY_CONFIG', (settings: string) => ({ options: [], environment: { SNAPFERRY_CONFIG: settings } })],
])('the settings of %s hold beside a --file, which gives its policies', async (_, naming) => {
  const name = newName()
  const settings = path.join(folder, 'settings.yaml')
  const file = path.join(folder, 'policies.yaml')
  await writeFile(settings, JSON.stringify({ temporal: { address: temporalAddress() }, worker: { taskQueue: 'of-settings' } }))
  const policies = { [name]: { disks: DISKS, schedule: { every: '4h' } } }
  await writeFile(file, JSON.stringify({ target: TARGET, worker: { taskQueue: 'of-policies' }, policies }))
  const { options, environment } = naming(settings)
  const { exitCode, stderr } = await runCli(['policy', 'apply', '--file', file, ...options], environment)
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.stringContaining(`the settings of ${settings} hold, those in ${file} are not used`) })
  expect((await describeSchedule(name)).action).toMatchObject({ taskQueue: 'of-settings-control' })
})

test('a --file alone gives settings as well', async () => {
  const name = newName()
  const file = path.join(folder, 'alone.yaml')
  const policies = { [name]: { disks: DISKS, schedule: { every: '4h' } } }
  await writeFile(file, JSON.stringify({ target: TARGET, temporal: { address: temporalAddress() }, worker: { taskQueue: 'of-file' }, policies }))
  expect(await runCli(['policy', 'apply', '--file', file], {})).toMatchObject({ exitCode: 0, stderr: '' })
  expect((await describeSchedule(name)).action).toMatchObject({ taskQueue: 'of-file-control' })
})

test('a changed schedule replaces the old times whole and names what changed', async () => {
  const name = newName()
  await apply({ [name]: { disks: DISKS, schedule: { cron: '0 2 * * *' } } })
  expect(
    await apply({ [name]: { disks: DISKS.slice(0, 1), schedule: { cron: '30 3 * * *' }, retention: { keepLast: 5 } } }),
  ).toEqual([{ name, outcome: 'updated', changes: ['schedule', 'disks', 'retention'] }])
  const { spec } = await describeSchedule(name)
  expect(spec.calendars?.map(({ hour, minute }) => [hour[0]?.start, minute[0]?.start])).toEqual([[3, 30]])
})

test('a schedule that somebody changed by hand is brought back', async () => {
  const name = newName()
  const policies = { [name]: { disks: DISKS, schedule: { cron: '0 2 * * *' } } }
  await apply(policies)
  await client.schedule
    .getHandle(policyScheduleId(name))
    .update((was) => ({ ...was, spec: { cronExpressions: ['0 5 * * *'] } }))
  expect(await apply(policies)).toEqual([{ name, outcome: 'updated', changes: ['schedule', 'jitter'] }])
})

test("an operator's pause outlives an apply that changes the policy", async () => {
  const name = newName()
  await apply({ [name]: { disks: DISKS, schedule: { every: '4h' } } })
  await cli('policy', 'pause', name, '--reason', 'account is being moved')
  expect(await apply({ [name]: { disks: DISKS, schedule: { every: '6h' } } })).toMatchObject([
    { outcome: 'updated', isPaused: true },
  ])
  expect((await describeSchedule(name)).state).toMatchObject({ paused: true, note: 'account is being moved' })
  await cli('policy', 'resume', name)
  expect((await describeSchedule(name)).state.paused).toBe(false)
})

test('a policy that left the file is named and left alone, and deleted only by --prune', async () => {
  const kept = newName()
  const gone = newName()
  const policy = { disks: DISKS.slice(0, 1), schedule: { every: '4h' } }
  await apply({ [kept]: policy, [gone]: { ...policy, disks: DISKS.slice(1) } })
  await untilListed(gone)
  expect(await apply({ [kept]: policy })).toContainEqual({ name: gone, outcome: 'not in the file' })
  expect(await apply({ [kept]: policy }, '--prune', '--dry-run')).toContainEqual({ name: gone, outcome: 'deleted' })
  await describeSchedule(gone)
  expect(await apply({ [kept]: policy }, '--prune')).toContainEqual({ name: gone, outcome: 'deleted' })
  await expect(describeSchedule(gone)).rejects.toThrow()
})

test('--prune leaves the policies of another installation in the same namespace alone', async () => {
  const others = newName()
  const own = newName()
  const policy = { disks: DISKS, schedule: { every: '4h' } }
  const file = path.join(folder, 'others.yaml')
  await writeFile(file, JSON.stringify({ target: TARGET, policies: { [others]: policy } }))
  expect((await cliOf('policy-test-others', 'policy', 'apply', '--file', file)).exitCode).toBe(0)
  await untilListed(others)
  expect(await apply({ [own]: policy }, '--prune')).toEqual([{ name: own, outcome: 'created' }])
  expect((await describeSchedule(others)).action).toMatchObject({ taskQueue: 'policy-test-others-control' })
})

test('a dry run makes no schedule', async () => {
  const name = newName()
  expect(await apply({ [name]: { disks: DISKS, schedule: { every: '4h' } } }, '--dry-run')).toEqual([
    { name, outcome: 'created' },
  ])
  await expect(describeSchedule(name)).rejects.toThrow()
})

test('a trigger starts a run beside one that is open, and the list shows both', async () => {
  const name = newName()
  await apply({ [name]: { disks: DISKS, schedule: { every: '4h' }, paused: true } })
  await openAfterTrigger(name, 1)
  const openRuns = await openAfterTrigger(name, 2)
  await untilListed(name)
  const rows = JSON.parse((await cli('policy', 'list', '--json')).stdout) as unknown
  expect(rows).toContainEqual(expect.objectContaining({ name, schedule: 'every 4h', isPaused: true, runs: 2, openRuns: expect.arrayContaining(openRuns) }))
  await Promise.all(openRuns.map((workflowId) => client.workflow.getHandle(workflowId).terminate()))
})

/** Runs are named by the second that they begin in, so one is begun a second after another. @returns the workflow ids of so many open runs. */
async function openAfterTrigger(name: string, count: number): Promise<string[]> {
  const last = (await describeSchedule(name)).info.recentActions.at(-1)?.takenAt.getTime() ?? 0
  while (Date.now() < last + 2000) await new Promise((resolve) => setTimeout(resolve, 50))
  await cli('policy', 'trigger', name)
  for (;;) {
    const open: string[] = []
    for await (const { workflowId } of client.workflow.list({ query: `BackupPolicy = '${name}' AND ExecutionStatus = 'Running'` })) open.push(workflowId)
    if (open.length === count) return open
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

test('an apply brings the present rule for runs side by side into force on a schedule that skipped them', async () => {
  const name = newName()
  const policies = { [name]: { disks: DISKS, schedule: { every: '4h' } } }
  await apply(policies)
  await client.schedule.getHandle(policyScheduleId(name)).update((was) => ({ ...was, policies: { ...was.policies, overlap: 'SKIP' } }))
  expect(await apply(policies)).toEqual([{ name, outcome: 'updated', changes: ['overlap'] }])
  expect(await apply(policies)).toEqual([{ name, outcome: 'unchanged' }])
})

test('a cron line that only the server can refuse is reported as a mistake of the configuration', async () => {
  const file = path.join(folder, 'bad.yaml')
  await writeFile(
    file,
    JSON.stringify({ target: TARGET, policies: { [newName()]: { disks: DISKS, schedule: { cron: '99 2 * * *' } } } }),
  )
  const { exitCode, stderr } = await cli('policy', 'apply', '--file', file)
  expect(exitCode).toBe(2)
  expect(stderr).toContain('99 2 * * *')
})

test.each(['pause', 'resume', 'trigger', 'delete'])('policy %s of an unknown policy ends with 4', async (verb) => {
  const { exitCode, stderr } = await cli('policy', verb, 'nobody')
  expect(exitCode).toBe(4)
  expect(stderr).toContain('policy/nobody')
})

/** Lists come from the visibility store, which follows a moment later. */
async function untilListed(name: string): Promise<void> {
  for (;;) {
    for await (const { scheduleId } of client.schedule.list()) if (scheduleId === policyScheduleId(name)) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

test('a changed option of a policy is noticed, whichever it is', async () => {
  const name = newName()
  const schedule = { every: '4h' }
  await apply({ [name]: { disks: DISKS, schedule, maxMibPerSecond: 10 } })
  expect(await apply({ [name]: { disks: DISKS, schedule, maxMibPerSecond: 20, transfer: 'stream' } })).toEqual([
    { name, outcome: 'updated', changes: ['maxMibPerSecond', 'transfer'] },
  ])
})
