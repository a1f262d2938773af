/**
 * Today's workflows against recorded histories: a change that replays one of them differently would wedge the runs that are open
 * when it is deployed. `SNAPFERRY_RECORD_HISTORIES=1 npm test -- test/replay` records anew, after a change that is meant.
 */
import { readdir, readFile } from 'node:fs/promises'
import { env } from 'node:process'
import { beforeAll, expect, test } from '@jest/globals'
import { Worker } from '@temporalio/worker'
import * as workflows from '../../workflows/index.ts'
import { workflowBundlePath } from '../support/environment.ts'
import { recordHistories } from './record-histories.ts'

const FOLDER = new URL('histories/', import.meta.url)

interface Recorded {
  readonly workflowId: string
  readonly history: unknown
}

let recorded: Recorded[]
beforeAll(async () => {
  if (env['SNAPFERRY_RECORD_HISTORIES'] === '1') await recordHistories(FOLDER)
  const files = (await readdir(FOLDER)).filter((name) => name.endsWith('.json'))
  recorded = await Promise.all(
    files.map(async (name) => ({ workflowId: name, history: JSON.parse(await readFile(new URL(name, FOLDER), 'utf8')) as unknown })),
  )
}, 180_000)

test('every recorded history replays the same way', async () => {
  const replayed: string[] = []
  const differing: string[] = []
  for await (const { workflowId, error } of Worker.runReplayHistories({ workflowBundle: { codePath: workflowBundlePath() } }, recorded)) {
    replayed.push(workflowId)
    if (error !== undefined) differing.push(`${workflowId}: ${error.message}`)
  }
  expect(differing).toEqual([])
  expect(replayed.toSorted()).toEqual(recorded.map(({ workflowId }) => workflowId).toSorted())
}, 60_000)

test('every workflow that a worker registers has a recorded history', () => {
  const text = JSON.stringify(recorded)
  const missing = Object.keys(workflows).filter((name) => !text.includes(`"workflowType":{"name":"${name}"}`))
  expect(missing).toEqual([])
})

test('a history of another workflow does not replay: the check can fail', async () => {
  const tampered = recorded.filter(({ workflowId }) => workflowId === 'backup-full.json').map(({ workflowId, history }) => ({
    workflowId,
    history: JSON.parse(JSON.stringify(history).replaceAll('"planBackup"', '"anotherActivity"')) as unknown,
  }))
  const errors: (Error | undefined)[] = []
  for await (const { error } of Worker.runReplayHistories({ workflowBundle: { codePath: workflowBundlePath() } }, tampered)) errors.push(error)
  expect(errors).toEqual([expect.objectContaining({ name: 'DeterminismViolationError' })])
}, 60_000)
