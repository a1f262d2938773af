import { describe, expect, test } from '@jest/globals'
import {
  besideTags,
  isSameRequest,
  isSourceSnapshotOf,
  requestOf,
  restoreTags,
  sourceSnapshotTags,
  tagOf,
  type Tags,
} from '../../domain/tags.ts'

const OWNER = { targetKey: 'account.backups-5f1fc140', diskUniqueId: 'disk-unique-1' }
const OURS = sourceSnapshotTags(OWNER, 'run-1')

describe('a source snapshot is known by its tags', () => {
  test.each<[string, Tags]>([
    ['as they were written', OURS],
    ['beside others', { ...OURS, 'cost centre': '7' }],
    ['of any run', sourceSnapshotTags(OWNER, 'run-2')],
    [
      'with their names in other case',
      Object.fromEntries(Object.entries(OURS).map(([name, value]) => [name.toUpperCase(), value])),
    ],
    ['with the unique id in other case', sourceSnapshotTags({ ...OWNER, diskUniqueId: 'DISK-Unique-1' }, 'run-1')],
  ])('%s', (_how, tags) => {
    expect(isSourceSnapshotOf(tags, OWNER)).toBe(true)
  })
})

test.each<[string, Tags | undefined]>([
  ['without tags', undefined],
  ['with tags of its own', { owner: 'someone' }],
  ['of another target', sourceSnapshotTags({ ...OWNER, targetKey: 'other.backups-00000000' }, 'run-1')],
  ['of another disk', sourceSnapshotTags({ ...OWNER, diskUniqueId: 'disk-unique-2' }, 'run-1')],
  ['that only looks alike', { ...OURS, snapferry: 'someone else' }],
  ['of a restore', restoreTags('point-1', 'run-1')],
])('a snapshot %s is not ours to delete', (_what, tags) => {
  expect(isSourceSnapshotOf(tags, OWNER)).toBe(false)
})

describe('a repetition', () => {
  test.each<[string, Tags | undefined, Tags | undefined, boolean]>([
    ['of a run is known by its request', OURS, sourceSnapshotTags(OWNER, 'run-1'), true],
    [
      'of a restore is known by its request',
      restoreTags('point-1', 'request-1'),
      restoreTags('point-1', 'request-1'),
      true,
    ],
    ['is not another request', restoreTags('point-1', 'request-1'), restoreTags('point-1', 'request-2'), false],
    ['is not what nobody asked for', {}, {}, false],
    ['is not what has no tags', undefined, undefined, false],
  ])('%s', (_claim, one, other, expected) => {
    expect(isSameRequest(one, other)).toBe(expected)
  })
})

test('the request is told by both kinds of tags', () => {
  expect(requestOf(OURS)).toBe('run-1')
  expect(requestOf(restoreTags('point-1', 'request-1'))).toBe('request-1')
  expect(requestOf(undefined)).toBeUndefined()
})

test('a tag is found in any case of its name, and its value is left as it is', () => {
  expect(tagOf({ SnapFerry: 'Restore' }, 'snapferry')).toBe('Restore')
  expect(tagOf({}, 'snapferry')).toBeUndefined()
})

test('tags fit Azure: names without <>%&\\?/, values of at most 256 characters', () => {
  const longest = sourceSnapshotTags({ targetKey: 'x'.repeat(73), diskUniqueId: 'x'.repeat(36) }, 'x'.repeat(29))
  for (const [name, value] of Object.entries({ ...longest, ...restoreTags('x'.repeat(29), 'x'.repeat(36)) })) {
    expect(name).not.toMatch(/[<>%&\\?/]/)
    expect(value.length).toBeLessThanOrEqual(256)
  }
})

describe('of the tags of a disk and ours', () => {
  const ours = restoreTags('point-1', 'request-1')
  const tagsOf = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`tag-${index}`, 'x']))

  test.each([
    [46, 0],
    [47, 1],
    [50, 4],
  ])('of %d of its own, %d are left out, as Azure takes no more than 50', (count, left) => {
    const { tags, dropped } = besideTags(tagsOf(count), ours)
    expect(tags).toMatchObject(ours)
    expect(Object.keys(tags)).toHaveLength(Math.min(50, count + 4))
    expect(dropped).toEqual(Object.keys(tagsOf(count)).slice(count - left))
  })

  test('one that has the name of ours in any case gives way without a word', () => {
    expect(besideTags({ ...tagsOf(45), 'SNAPFERRY-Check': 'passed', snapferry: 'restore' }, ours)).toEqual({ tags: { ...tagsOf(45), ...ours }, dropped: [] })
  })
})
