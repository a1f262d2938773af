/** `policy` and `config` as an operator meets them: child processes, and a Schedule that really fires. */
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals'
import type { PolicyRow } from '../../client/policy-list.ts'
import { MIB } from '../../domain/byte-range.ts'
import { seededRandom } from '../../domain/sampler.ts'
import { snapferry, snapferryJson, type CliOptions } from '../support/cli-process.ts'
import { noise } from '../support/random-disk.ts'
import { openScene, type Scene } from '../support/scene.ts'

let scene: Scene
let folder: string
/** The names of all tests live in one namespace. */
let policy: string
beforeAll(async () => {
  scene = await openScene()
  folder = await mkdtemp(join(tmpdir(), 'snapferry-policy-'))
})
afterEach(async () => {
  await cli('policy', 'delete', policy)
})
afterAll(async () => {
  await scene?.close()
  await rm(folder, { recursive: true })
})

const inFolder = (): CliOptions => ({ cwd: folder })
const cli = (...args: string[]) => snapferry(scene, args, inFolder())
const cliJson = <Value>(...args: string[]) => snapferryJson<Value>(scene, args, inFolder())

async function diskWithData(): Promise<string> {
  const diskId = scene.createDisk(1)
  await scene.azure.writeDisk(diskId, 0, noise(MIB, seededRandom(1)))
  return diskId
}

/** snapferry.yaml in the folder of the commands, with one policy of a new name. */
async function writeConfig(every: string, diskIds: readonly string[]): Promise<void> {
  policy = `p-${randomUUID().slice(0, 8)}`
  const disks = diskIds.map((id) => `      - ${id}\n`).join('')
  const text = `target: ${scene.targetUrl}\npolicies:\n  ${policy}:\n    disks:\n${disks}    schedule: { every: ${every} }\n    jitter: 0s\n    retention: { keepLast: 2 }\n`
  await writeFile(join(folder, 'snapferry.yaml'), text)
}

/** The policy's own line: other tests have policies as well. */
async function listedPolicy(): Promise<PolicyRow | undefined> {
  return (await cliJson<PolicyRow[]>('policy', 'list')).find(({ name }) => name === policy)
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(200)
}

test('a policy that is applied makes points at its times, keeps as many as it says, and stops when it is paused', async () => {
  const diskId = await diskWithData()
  await writeConfig('10s', [diskId])
  const seen = new Set<string>()
  expect(await cliJson('policy', 'apply')).toContainEqual({ name: policy, outcome: 'created' })
  expect(await cliJson('policy', 'apply')).toContainEqual({ name: policy, outcome: 'unchanged' })
  await until(async () => {
    for (const { id } of await scene.points(diskId)) seen.add(id)
    return seen.size >= 3
  })
  expect(await cliJson('policy', 'pause', policy, '--reason', 'moving house')).toEqual({ name: policy, outcome: 'paused' })
  await until(async () => (await listedPolicy())?.openRuns.length === 0)
  expect(await scene.points(diskId)).toHaveLength(2)
  expect(await listedPolicy()).toMatchObject({ isPaused: true, note: 'moving house', schedule: 'every 10s', diskIds: [diskId] })
  expect(await cliJson('policy', 'apply')).toContainEqual({ name: policy, outcome: 'unchanged', isPaused: true })
}, 120_000)

test('trigger runs a policy at once, resume takes up its times again, delete leaves its points', async () => {
  const diskId = await diskWithData()
  await writeConfig('12h', [diskId])
  await cliJson('policy', 'apply')
  await cliJson('policy', 'pause', policy)
  await cliJson('policy', 'trigger', policy)
  await until(async () => (await scene.points(diskId)).length === 1)
  expect((await cli('policy', 'resume', policy)).exitCode).toBe(0)
  expect(await listedPolicy()).toMatchObject({ isPaused: false, runs: 1, nextRunAt: expect.any(String) })
  expect(await cli('policy', 'delete', policy)).toMatchObject({ exitCode: 0, stdout: `${policy} deleted\n` })
  expect(await listedPolicy()).toBeUndefined()
  expect(await scene.points(diskId)).toHaveLength(1)
  expect(await cli('policy', 'trigger', policy)).toMatchObject({ exitCode: 4, stderr: expect.stringContaining(policy) })
})

test('a disk that fails does not hold up the others, and run follow tells which one and why', async () => {
  const [good, gone] = [await diskWithData(), scene.freshDiskId()]
  await writeConfig('12h', [gone, good])
  await cliJson('policy', 'apply')
  await cliJson('policy', 'trigger', policy)
  await until(async () => (await scene.points(good)).length === 1)
  const run = (await cliJson<{ workflowId: string }[]>('status', '--all')).find(({ workflowId }) => workflowId.startsWith(`policy/${policy}`))
  const followed = await cli('run', 'follow', run?.workflowId ?? '')
  expect(followed).toMatchObject({ exitCode: 3, stderr: expect.stringMatching(/1 of 2 disks of policy .* have no new point: restored-\w+: could not read disk/) })
})

test('every mistake in snapferry.yaml is shown with line, column and key, and nothing is applied', async () => {
  await writeConfig('4h', [await diskWithData()])
  const mistakes = `target: ${scene.targetUrl}?sig=x\npolicies:\n  ${policy}:\n    discs: []\n    schedule: { every: 4 hours and a bit }\n`
  await writeFile(join(folder, 'snapferry.yaml'), mistakes)
  const { exitCode, stdout, stderr } = await cli('policy', 'apply')
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
  expect(stderr).toContain('line 1, column 9, target: ')
  expect(stderr).toContain(`line 4, column 5, policies.${policy}.discs: unknown key; did you mean "disks"?`)
  expect(stderr).toContain(`line 5, column 24, policies.${policy}.schedule.every: "4 hours and a bit" is not a duration`)
  expect(stderr).not.toContain('sig=')
  expect(await cli('config', 'check')).toMatchObject({ exitCode: 2, stderr })
})
