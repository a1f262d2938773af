import { expect, test } from '@jest/globals'
import { GIB } from '../../domain/byte-range.ts'
import { ONE_STRIPE } from '../../domain/stripes.ts'
import { transferJobOf, type OpenedBase } from '../../domain/transfer-job.ts'
import { aCursor, aSnapshot, TARGET } from './support/builders.ts'

const opened: OpenedBase = {
  targetUrl: TARGET,
  baseBlobName: 'disks/a/b/base.vhd',
  striping: ONE_STRIPE,
  epoch: 3,
  baseline: [{ snapshot: '2026-03-01T02:07:29.1234567Z', sizeBytes: 64 * GIB + 512 }],
}

test('an incremental job reads the diff since the cursor', () => {
  const job = transferJobOf(opened, { kind: 'incremental', cursor: aCursor() }, aSnapshot())
  expect(job).toEqual({
    ...opened,
    blobBytes: 64 * GIB + 512,
    toSnapshotId: aSnapshot().id,
    fromSnapshotId: aCursor().snapshotId,
  })
})

test('after growth the old footer is copied, whatever the diff says of it', () => {
  const job = transferJobOf(opened, { kind: 'incremental', cursor: aCursor() }, aSnapshot({ sizeBytes: 65 * GIB }))
  expect(job.oldFooter).toEqual({ startBytes: 64 * GIB, endBytes: 64 * GIB + 512 })
  expect(job.blobBytes).toBe(65 * GIB + 512)
})

test.each([{ kind: 'full' } as const, { kind: 'reseed', cause: 'FamilyChanged' } as const])(
  'a job of kind $kind has no diff to read',
  (plan) => {
    expect(transferJobOf(opened, plan, aSnapshot({ sizeBytes: 65 * GIB }))).toEqual({
      ...opened,
      blobBytes: 65 * GIB + 512,
      toSnapshotId: aSnapshot().id,
    })
  },
)
