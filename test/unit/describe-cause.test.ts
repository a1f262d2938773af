import { expect, test } from '@jest/globals'
import { BackupError } from '../../domain/failures.ts'
import { describeCause } from '../../workflows/describe-cause.ts'

const root = new BackupError({ type: 'DiskTooLarge', message: 'disk rg/data has 9000 GiB' })

test.each<[string, unknown, string]>([
  ['a failure without a cause', root, 'disk rg/data has 9000 GiB'],
  [
    'a failure in a failure in a failure',
    new Error('child workflow failed', { cause: new Error('activity task failed', { cause: root }) }),
    'disk rg/data has 9000 GiB',
  ],
  ['a cause that is no error', new Error('activity task failed', { cause: 'a text' }), 'activity task failed'],
  ['a text', 'stopped', 'stopped'],
  ['nothing', undefined, 'undefined'],
])('%s', (_what, error, expected) => {
  expect(describeCause(error)).toBe(expected)
})
