import { expect, test } from '@jest/globals'
import { MockActivityEnvironment } from '@temporalio/testing'
import { withHeartbeat } from '../../activities/heartbeat.ts'

/** What an activity heartbeats until it ends, one way or the other. */
async function heartbeatsOf(activity: () => Promise<unknown>): Promise<unknown[]> {
  const details: unknown[] = []
  const environment = new MockActivityEnvironment()
  environment.on('heartbeat', (sent: unknown) => details.push(sent))
  await environment.run(activity).catch(() => undefined)
  return details
}

test('a step that reports each of a million ranges sends no heartbeat for any of them', async () => {
  const sent = await heartbeatsOf(() =>
    withHeartbeat({ ranges: 0 }, async (report) => {
      for (let ranges = 1; ranges <= 1_000_000; ranges++) report({ ranges })
    }),
  )
  expect(sent).toEqual([])
})

test('a step that fails hands on what it had reached', async () => {
  const sent = await heartbeatsOf(() =>
    withHeartbeat({ ranges: 0 }, async (report) => {
      report({ ranges: 7 })
      throw new Error('the line is gone')
    }),
  )
  expect(sent).toEqual([{ ranges: 7 }])
})

test('a step that takes longer than a beat tells the newest of what was reported', async () => {
  const details: unknown[] = []
  const environment = new MockActivityEnvironment()
  const heard = new Promise<void>((resolve) => {
    environment.on('heartbeat', (sent: unknown) => {
      details.push(sent)
      resolve()
    })
  })
  await environment.run(() =>
    withHeartbeat<{ ranges: number }, void>(undefined, async (report) => {
      report({ ranges: 1 })
      report({ ranges: 2 })
      await heard
    }),
  )
  expect(details).toEqual([{ ranges: 2 }])
})
