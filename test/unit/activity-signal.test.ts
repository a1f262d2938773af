import { getMaxListeners } from 'node:events'
import { expect, test } from '@jest/globals'
import { cancellationSignal } from '@temporalio/activity'
import { MockActivityEnvironment } from '@temporalio/testing'
import { asActivity } from '../../activities/to-failure.ts'

test('any number of requests of an activity may listen to its signal without a warning in the log of the worker', async () => {
  const activity = asActivity(async () => getMaxListeners(cancellationSignal()))
  expect(await new MockActivityEnvironment().run(activity, undefined)).toBe(Infinity)
})
