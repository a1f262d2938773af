import { describe, expect, test } from '@jest/globals'
import { disksToDrill, drillBegunMs, drillRequestId, pointToDrill } from '../../domain/drill.ts'
import { decodeDrillResult, encodeDrillResult, type DrillResult } from '../../domain/drill-result.ts'
import { drilledDiskOf, silenceOf } from '../../domain/drill-review.ts'
import { suspected } from '../../domain/point-check.ts'

const HOUR_MS = 3_600_000
const POINTS = ['a', 'b', 'c', 'd'].map((id, day) => ({ id, takenAt: `2026-11-2${day}T00:00:00Z` }))
const suspect = (...ids: string[]) => new Map(ids.map((id) => [id, suspected(undefined, id, { since: '2026-11-24T00:00:00Z', ranges: [], foundIn: id })]))
const instants = Array.from({ length: 200 }, (_, hour) => new Date(hour * HOUR_MS).toISOString())

describe('a drill chooses', () => {
  test('one disk by the instant at which it is due: a repetition takes the same, and in time every disk has its turn', () => {
    const disks = ['x', 'y', 'z']
    const chosen = instants.map((at) => disksToDrill(disks, 'one', at))
    expect(chosen).toEqual(instants.map((at) => disksToDrill(disks, 'one', at)))
    expect(new Set(chosen.flat())).toEqual(new Set(disks))
    expect(chosen.every(({ length }) => length === 1)).toBe(true)
    expect(disksToDrill(disks, 'all', instants[0]!)).toEqual(disks)
  })

  test('the newest point that is not suspect, and names those that it passed over', () => {
    expect(pointToDrill(POINTS, new Map(), 'newest', '')).toMatchObject({ point: { id: 'd' }, passedOver: [] })
    expect(pointToDrill(POINTS, suspect('d', 'c', 'a'), 'newest', '')).toMatchObject({ point: { id: 'b' }, passedOver: [{ id: 'd' }, { id: 'c' }] })
    expect(pointToDrill(POINTS, suspect('a', 'b', 'c', 'd'), 'newest', '')).toBeUndefined()
  })

  test('a random point by its seed, each in time and a suspect one never', () => {
    const chosen = instants.map((seed) => pointToDrill(POINTS, suspect('c'), 'random', seed)?.point.id)
    expect(chosen).toEqual(instants.map((seed) => pointToDrill(POINTS, suspect('c'), 'random', seed)?.point.id))
    expect(new Set(chosen)).toEqual(new Set(['a', 'b', 'd']))
  })
})

test('the disk of a drill tells by its request when the drill began; one of another request tells nothing', () => {
  expect(drillBegunMs(drillRequestId('2026-11-26T10:00:00.000Z', 'id'))).toBe(Date.parse('2026-11-26T10:00:00Z'))
  expect(drillBegunMs('some-run-id')).toBeUndefined()
  expect(drillBegunMs(undefined)).toBeUndefined()
})

const aResult = (of: Partial<DrillResult> = {}): DrillResult => ({
  format: 1,
  id: '20261126T100000Z-0123456789ab',
  diskId: 'x',
  region: 'northeurope',
  verdict: 'passed',
  startedAt: '2026-11-26T10:00:00.000Z',
  endedAt: '2026-11-26T10:30:00.000Z',
  phaseSeconds: { plan: 1 },
  warnings: [],
  ...of,
})

test('a result is read back as it was written, with keys of a later release left out; what is none counts as no drill', () => {
  const text = encodeDrillResult(aResult())
  expect(decodeDrillResult(text)).toEqual(aResult())
  expect(decodeDrillResult(JSON.stringify({ ...aResult(), later: 1 }))).toEqual(aResult())
  for (const broken of ['', '{}', text.slice(0, -20), text.replace('"format": 1', '"format": 2')]) expect(decodeDrillResult(broken)).toBeUndefined()
})

describe('silence', () => {
  const since = '2026-11-26T00:00:00.000Z'
  const now = '2026-11-26T12:00:00.000Z'
  const success = (diskId: string, endedAt: string) => aResult({ diskId, endedAt })
  const failure = (diskId: string, endedAt: string) => aResult({ diskId, endedAt, verdict: 'failed', failure: { type: 'DrillFailed', message: '' } })
  const disk = (diskId: string, ...results: DrillResult[]) => drilledDiskOf(diskId, results)

  test('counts from the last success, and a failure after it changes nothing', () => {
    const disks = [disk('x', success('x', '2026-11-26T09:00:00.000Z'), failure('x', '2026-11-26T11:00:00.000Z'))]
    expect(silenceOf(disks, { disks: 'one', alertAfterMs: 2 * HOUR_MS }, { since, now })).toEqual({
      dueAt: '2026-11-26T11:00:00.000Z',
      isOverdue: true,
      lastSuccessAt: '2026-11-26T09:00:00.000Z',
    })
    expect(silenceOf(disks, { disks: 'one', alertAfterMs: 4 * HOUR_MS }, { since, now })).toMatchObject({ isOverdue: false })
  })

  test('counts from the beginning where no drill ever succeeded', () => {
    expect(silenceOf([disk('x')], { disks: 'one', alertAfterMs: HOUR_MS }, { since, now })).toEqual({ dueAt: '2026-11-26T01:00:00.000Z', isOverdue: true })
  })

  test('ends with the newest success of any disk where each drill takes one, with the oldest where it takes all', () => {
    const disks = [disk('x', success('x', '2026-11-26T11:30:00.000Z')), disk('y', success('y', '2026-11-26T02:00:00.000Z')), disk('z')]
    expect(silenceOf(disks, { disks: 'one', alertAfterMs: HOUR_MS }, { since, now })).toMatchObject({ isOverdue: false, lastSuccessAt: '2026-11-26T11:30:00.000Z' })
    expect(silenceOf(disks, { disks: 'all', alertAfterMs: HOUR_MS }, { since, now })).toMatchObject({ isOverdue: true, diskId: 'z' })
    expect(silenceOf(disks.slice(0, 2), { disks: 'all', alertAfterMs: HOUR_MS }, { since, now })).toMatchObject({ diskId: 'y', dueAt: '2026-11-26T03:00:00.000Z' })
  })
})
