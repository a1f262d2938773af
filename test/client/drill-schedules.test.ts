/** The Schedules of drills: made, kept, paused and deleted with their policy. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals'
import { Client, Connection } from '@temporalio/client'
import { drillScheduleId, drillWatchScheduleId, policyScheduleId } from '../../domain/names.ts'
import type { WatchDrillsInput } from '../../workflows/messages.ts'
import { temporalAddress } from '../support/environment.ts'
import { runCli } from './support/cli.ts'

const TARGET = 'https://account.blob.core.windows.net/backups'
const DISKS = ['a', 'b'].map((name) => `/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute/disks/${name}`)
const DRILL = { schedule: { cron: '0 4 * * SUN' }, region: 'North Europe', resourceGroup: 'drills', alertAfter: '8d' }
const POLICY = { disks: DISKS, schedule: { every: '4h' }, drill: DRILL }

let connection: Connection
let client: Client
let folder: string
const names: string[] = []
beforeAll(async () => {
  connection = await Connection.connect({ address: temporalAddress() })
  client = new Client({ connection })
  folder = await mkdtemp(path.join(tmpdir(), 'snapferry-client-'))
})
afterEach(async () => {
  for (const name of names.splice(0)) for (const id of schedulesOf(name)) await client.schedule.getHandle(id).delete().catch(() => undefined)
})
afterAll(async () => {
  await connection.close()
  await rm(folder, { recursive: true })
})

const schedulesOf = (name: string): string[] => [policyScheduleId(name), drillScheduleId(name), drillWatchScheduleId(name)]
const describeSchedule = (id: string) => client.schedule.getHandle(id).describe()
const cli = (...argv: string[]) => runCli(argv, { TEMPORAL_ADDRESS: temporalAddress(), SNAPFERRY_TASK_QUEUE: 'drill-test' })

function newName(): string {
  const name = `drill${Date.now()}${names.length}`
  names.push(name)
  return name
}

async function apply(name: string, policy: object): Promise<unknown> {
  const file = path.join(folder, 'snapferry.yaml')
  await writeFile(file, JSON.stringify({ target: TARGET, policies: { [name]: policy } }))
  const { exitCode, stdout, stderr } = await cli('policy', 'apply', '--file', file, '--json')
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  return (JSON.parse(stdout) as { name: string }[]).filter((one) => one.name === name)
}

test('a policy with drills gets a Schedule that drills and one that watches; a second apply changes neither', async () => {
  const name = newName()
  expect(await apply(name, POLICY)).toEqual([{ name, outcome: 'created' }])
  const [, drill, watch] = await Promise.all(schedulesOf(name).map(describeSchedule))
  expect(drill).toMatchObject({
    policies: { overlap: 'SKIP', pauseOnFailure: false },
    action: {
      workflowType: 'drillPolicy',
      taskQueue: 'drill-test-control',
      args: [{ policy: name, targetUrl: TARGET, diskIds: DISKS, rule: { region: 'northeurope', resourceGroup: 'drills', point: 'newest', disks: 'one', timeoutMinutes: 1440, alertAfterMs: 8 * 86_400_000 } }],
      staticSummary: 'Drills the restore of one of 2 disks in northeurope at 0 4 * * SUN (UTC)',
    },
  })
  expect(watch).toMatchObject({ spec: { intervals: [{ every: 3_600_000 }] }, action: { workflowType: 'watchDrills' } })
  const { since } = watch!.action.args![0] as WatchDrillsInput
  expect(Date.parse(since)).toBeLessThanOrEqual(Date.now())

  expect(await apply(name, POLICY)).toEqual([{ name, outcome: 'unchanged' }])
  const again = await Promise.all(schedulesOf(name).map(describeSchedule))
  expect(again.map(({ info }) => info.lastUpdatedAt)).toEqual([undefined, undefined, undefined])
})

test('a changed drill updates its Schedules, silence counts on from where it began, and a drill that left the file takes them along', async () => {
  const name = newName()
  await apply(name, POLICY)
  const sinceOf = async () => ((await describeSchedule(drillWatchScheduleId(name))).action.args![0] as WatchDrillsInput).since
  const since = await sinceOf()
  const changed = { ...POLICY, drill: { ...DRILL, schedule: { every: '1d' }, disks: 'all', alertAfter: '2d' } }
  expect(await apply(name, changed)).toEqual([{ name, outcome: 'updated', changes: ['drill'] }])
  expect((await describeSchedule(drillScheduleId(name))).spec).toMatchObject({ calendars: [], intervals: [{ every: 86_400_000 }] })
  expect(await sinceOf()).toBe(since)

  const { drill: _, ...without } = POLICY
  expect(await apply(name, without)).toEqual([{ name, outcome: 'updated', changes: ['drill'] }])
  await expect(describeSchedule(drillScheduleId(name))).rejects.toThrow()
  await expect(describeSchedule(drillWatchScheduleId(name))).rejects.toThrow()
})

test('a pause stops the drills and not their watch, and outlives an apply; delete takes all three', async () => {
  const name = newName()
  await apply(name, POLICY)
  await cli('policy', 'pause', name, '--reason', 'account is being moved')
  const paused = async () => (await Promise.all(schedulesOf(name).map(describeSchedule))).map(({ state }) => state.paused)
  expect(await paused()).toEqual([true, true, false])
  await apply(name, { ...POLICY, drill: { ...DRILL, alertAfter: '9d' } })
  expect(await paused()).toEqual([true, true, false])
  await cli('policy', 'resume', name)
  expect(await paused()).toEqual([false, false, false])
  await cli('policy', 'delete', name)
  for (const id of schedulesOf(name)) await expect(describeSchedule(id)).rejects.toThrow()
})

test.each([
  ['shorter than its interval', { ...DRILL, schedule: { every: '7d' }, alertAfter: '7d' }, 'alertAfter: it must be longer than the interval'],
  ['without alertAfter', { ...DRILL, alertAfter: undefined }, 'alertAfter'],
  ['with a command line instead of words', { ...DRILL, command: 'fsck disk' }, 'expected a list of words'],
])('a drill %s is refused by name', async (_what, drill, words) => {
  const file = path.join(folder, 'bad.yaml')
  await writeFile(file, JSON.stringify({ target: TARGET, policies: { bad: { ...POLICY, drill } } }))
  expect(await cli('config', 'check', file)).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(words) })
})
