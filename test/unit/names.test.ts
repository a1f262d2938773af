import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import {
  backupWorkflowId,
  baseBlobName,
  chainPrefix,
  diskKeyOf,
  diskPrefix,
  manifestName,
  parseManifestName,
  policyScheduleId,
  recoveryPointId,
  restoreWorkflowId,
  sourceSnapshotName,
  targetKeyOf,
  type DiskIdentity,
  type RequestKey,
} from '../../domain/names.ts'
import { DISK_ID, TARGET } from './support/builders.ts'

const KEY: RequestKey = { requestedAt: '2026-03-01T02:00:00.000Z', requestId: 'policy nightly' }

const diskIdOf = (name: string, group = 'rg', subscription = 's') =>
  `/subscriptions/${subscription}/resourceGroups/${group}/providers/Microsoft.Compute/disks/${name}`

/** Names as ARM allows them for disks: letters, digits, `_`, `-` and `.`, up to 80. */
const anyDiskName = fc.string({
  unit: fc.constantFrom(...'abcXYZ019_-.'.split('')),
  minLength: 1,
  maxLength: 80,
  size: 'max',
})
const anyDiskId = fc
  .tuple(anyDiskName, anyDiskName, fc.uuid())
  .map(([name, group, subscription]) => diskIdOf(name, group, subscription))
const anyTarget = fc
  .tuple(
    fc.string({ unit: fc.constantFrom(...'abc019'.split('')), minLength: 3, maxLength: 24, size: 'max' }),
    fc.constantFrom('backups', 'b-1', '0'.repeat(63)),
  )
  .map(([account, container]) => `https://${account}.blob.core.windows.net/${container}`)
const anyKey = fc.record({
  requestedAt: fc
    .date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true })
    .map((date) => date.toISOString()),
  requestId: fc.string(),
})

/** The disk of an id, as it was made once. */
function made(id: string, uniqueId = 'disk-unique-1'): DiskIdentity {
  return { id, uniqueId }
}

/** Everything that is built from a disk, a target and a request. */
function allNames(diskId: string, targetUrl: string, key: RequestKey): string[] {
  return [
    diskKeyOf(diskId),
    targetKeyOf(targetUrl),
    backupWorkflowId(diskId, targetUrl),
    restoreWorkflowId(diskId),
    sourceSnapshotName(made(diskId), targetUrl, key).toLowerCase(),
    recoveryPointId(made(diskId), targetUrl, key),
    baseBlobName(diskId, 'disk-unique-1'),
  ]
}

test('names are for ever: a release that builds others loses sight of every chain there is', () => {
  expect({
    disk: diskKeyOf(DISK_ID),
    target: targetKeyOf(TARGET),
    backup: backupWorkflowId(DISK_ID, TARGET),
    restore: restoreWorkflowId(DISK_ID),
    schedule: policyScheduleId('nightly'),
    snapshot: sourceSnapshotName(made(DISK_ID), TARGET, KEY),
    point: recoveryPointId(made(DISK_ID), TARGET, KEY),
    base: baseBlobName(DISK_ID, 'disk-unique-1'),
    manifest: manifestName(chainPrefix(DISK_ID, 'disk-unique-1'), 'p'),
  }).toEqual({
    disk: 'data_disk.1-c342ed58',
    target: 'account.backups-5f1fc140',
    backup: 'backup/data_disk.1-c342ed58/account.backups-5f1fc140',
    restore: 'restore/data_disk.1-c342ed58',
    schedule: 'policy/nightly',
    snapshot: 'sf-Data_Disk-1-20260301T020000Z-986cd2ea0c',
    point: '20260301T020000Z-5a48d4e16f50',
    base: 'disks/data_disk.1-c342ed58/3c8adc9f/base.vhd',
    manifest: 'disks/data_disk.1-c342ed58/3c8adc9f/points/p.json',
  })
})

test('the same names follow from any spelling of the case of an id, and from a retry', () => {
  fc.assert(
    fc.property(anyDiskId, anyTarget, anyKey, (diskId, target, key) => {
      const names = allNames(diskId, target, key)
      expect(allNames(diskId.toUpperCase(), `${target}/`, { ...key })).toEqual(names)
      expect(allNames(` ${diskId.toLowerCase()} `, target.replace('https', 'HTTPS'), { ...key })).toEqual(names)
    }),
  )
})

test('a snapshot name is what Azure takes: at most 80 of [A-Za-z0-9_-]', () => {
  fc.assert(
    fc.property(anyDiskId, anyTarget, anyKey, (diskId, target, key) => {
      expect(sourceSnapshotName(made(diskId), target, key)).toMatch(/^sf-[A-Za-z0-9_-]{1,77}$/)
    }),
  )
})

test('keys and point ids stay short and are safe in blob names, tags and workflow ids', () => {
  fc.assert(
    fc.property(anyDiskId, anyTarget, anyKey, (diskId, target, key) => {
      expect(diskKeyOf(diskId)).toMatch(/^[a-z0-9._-]{1,40}-[0-9a-f]{8}$/)
      expect(targetKeyOf(target)).toMatch(/^[a-z0-9._-]{1,64}-[0-9a-f]{8}$/)
      expect(recoveryPointId(made(diskId), target, key)).toMatch(/^\d{8}T\d{6}Z-[0-9a-f]{12}$/)
      expect(baseBlobName(diskId, 'u').length).toBeLessThan(128)
    }),
  )
})

describe('names differ', () => {
  const OTHER_TARGET = 'https://other.blob.core.windows.net/backups'

  test.each<[string, string]>([
    ['two resource groups', diskIdOf('data', 'rg-2')],
    ['two subscriptions', diskIdOf('data', 'rg', 's-2')],
    ['two names', diskIdOf('data2')],
  ])('between disks of %s', (_what, other) => {
    const one = diskIdOf('data')
    expect(diskKeyOf(other)).not.toBe(diskKeyOf(one))
    expect(backupWorkflowId(other, TARGET)).not.toBe(backupWorkflowId(one, TARGET))
    expect(sourceSnapshotName(made(other), TARGET, KEY)).not.toBe(sourceSnapshotName(made(one), TARGET, KEY))
    expect(recoveryPointId(made(other), TARGET, KEY)).not.toBe(recoveryPointId(made(one), TARGET, KEY))
  })

  test.each<[string, string, string]>([
    ['only behind what is shown', `${'x'.repeat(60)}1`, `${'x'.repeat(60)}2`],
    ['only in what a snapshot name cannot show', 'data.1', 'data-1'],
  ])('between disks whose names differ %s', (_where, one, other) => {
    expect(diskKeyOf(diskIdOf(one))).not.toBe(diskKeyOf(diskIdOf(other)))
    expect(sourceSnapshotName(made(diskIdOf(one)), TARGET, KEY)).not.toBe(sourceSnapshotName(made(diskIdOf(other)), TARGET, KEY))
  })

  test('between targets', () => {
    expect(targetKeyOf(OTHER_TARGET)).not.toBe(targetKeyOf(TARGET))
    expect(backupWorkflowId(DISK_ID, OTHER_TARGET)).not.toBe(backupWorkflowId(DISK_ID, TARGET))
    expect(sourceSnapshotName(made(DISK_ID), OTHER_TARGET, KEY)).not.toBe(sourceSnapshotName(made(DISK_ID), TARGET, KEY))
    expect(recoveryPointId(made(DISK_ID), OTHER_TARGET, KEY)).not.toBe(recoveryPointId(made(DISK_ID), TARGET, KEY))
  })

  test.each<[string, Partial<RequestKey>]>([
    ['instants', { requestedAt: '2026-03-01T02:00:01.000Z' }],
    ['requests of the same second', { requestId: 'by hand' }],
  ])('between %s', (_what, change) => {
    const other = { ...KEY, ...change }
    expect(sourceSnapshotName(made(DISK_ID), TARGET, other)).not.toBe(sourceSnapshotName(made(DISK_ID), TARGET, KEY))
    expect(recoveryPointId(made(DISK_ID), TARGET, other)).not.toBe(recoveryPointId(made(DISK_ID), TARGET, KEY))
  })

  test('between incarnations of a disk, which share only their prefix', () => {
    const [first, second] = [chainPrefix(DISK_ID, 'unique-1'), chainPrefix(DISK_ID, 'unique-2')]
    expect(first).not.toBe(second)
    expect([first, second].every((chain) => chain.startsWith(diskPrefix(DISK_ID)))).toBe(true)
    expect(chainPrefix(DISK_ID, 'UNIQUE-1')).toBe(first)
    const [old, anew] = [made(DISK_ID, 'unique-1'), made(DISK_ID, 'unique-2')]
    expect(sourceSnapshotName(old, TARGET, KEY)).not.toBe(sourceSnapshotName(anew, TARGET, KEY))
    expect(recoveryPointId(old, TARGET, KEY)).not.toBe(recoveryPointId(anew, TARGET, KEY))
  })

  test('among ten thousand disks of one name', () => {
    const keys = Array.from({ length: 10_000 }, (_, index) => diskKeyOf(diskIdOf('data', `rg-${index}`)))
    expect(new Set(keys).size).toBe(10_000)
  })
})

test('point ids sort by the time of their request', () => {
  fc.assert(
    fc.property(anyKey, anyKey, (one, other) => {
      const [a, b] = [Math.floor(Date.parse(one.requestedAt) / 1000), Math.floor(Date.parse(other.requestedAt) / 1000)]
      fc.pre(a !== b)
      expect(recoveryPointId(made(DISK_ID), TARGET, one) < recoveryPointId(made(DISK_ID), TARGET, other)).toBe(a < b)
    }),
  )
})

describe('the name of a manifest', () => {
  test('tells its chain and its point', () => {
    const chain = chainPrefix(DISK_ID, 'disk-unique-1')
    const pointId = recoveryPointId(made(DISK_ID), TARGET, KEY)
    expect(parseManifestName(manifestName(chain, pointId))).toEqual({ chain, pointId })
  })

  test.each([
    'snapferry-target.json',
    'disks/a/b/base.vhd',
    'disks/a/b/points/p.txt',
    'disks/a/points/p.json',
    'disks/a/b/c/points/p.json',
    'x/disks/a/b/points/p.json',
  ])('is not %s', (blobName) => {
    expect(parseManifestName(blobName)).toBeUndefined()
  })
})
