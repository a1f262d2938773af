import { describe, expect, test } from '@jest/globals'
import { FaultPlan } from '../../simulator/faults/fault-plan.ts'
import type { FaultRuleSpec } from '../../simulator/faults/fault-rule.ts'

const RESET = { kind: 'reset', when: 'before' } as const
const call = { operation: 'PutPage', resource: '/backups/disks/base' }

/** The numbers of the calls, out of so many, that a rule hits. */
function hits(rule: Omit<FaultRuleSpec, 'effect'>, calls = 20): number[] {
  const plan = new FaultPlan()
  plan.add({ ...rule, effect: RESET })
  return Array.from({ length: calls }, (_, index) => index + 1).filter(() => plan.draw(call, ['reset']).length > 0)
}

describe('a rule', () => {
  test('without a selection hits every call', () => {
    expect(hits({}, 3)).toEqual([1, 2, 3])
  })

  test('hits the calls that it names by number', () => {
    expect(hits({ nth: 3 })).toEqual([3])
    expect(hits({ nth: [1, 5] })).toEqual([1, 5])
    expect(hits({ every: 7 })).toEqual([7, 14])
    expect(hits({ every: 2, times: 3 })).toEqual([2, 4, 6])
  })

  test('hits the same calls by chance for the same seed, others for another, and about as many as it says', () => {
    const first = hits({ probability: 0.25, seed: 5 }, 2000)
    expect(hits({ probability: 0.25, seed: 5 }, 2000)).toEqual(first)
    expect(hits({ probability: 0.25, seed: 6 }, 2000)).not.toEqual(first)
    expect(first.length).toBeGreaterThan(400)
    expect(first.length).toBeLessThan(600)
    expect(hits({ probability: 0 })).toEqual([])
  })

  test('counts only the calls that its operation and resource select, by patterns', () => {
    const plan = new FaultPlan()
    const id = plan.add({ operation: ['PutPage', 'Clear*'], resource: '/BACKUPS/disks/*', nth: 2, effect: RESET })
    const draw = (operation: string, resource: string) => plan.draw({ operation, resource }, ['reset']).length
    expect(draw('PutPage', '/backups/disks/a')).toBe(0)
    expect(draw('PutPageFromUrl', '/backups/disks/a')).toBe(0)
    expect(draw('PutPage', '/backups/points/a')).toBe(0)
    expect(draw('ClearPages', '/backups/disks/b/c')).toBe(1)
    expect(plan.rules()).toMatchObject([{ id, seen: 2, fired: 1 }])
  })

  test('takes a dot or a bracket in a name for itself', () => {
    const plan = new FaultPlan()
    plan.add({ resource: '/a/c/disk.vhd', effect: RESET })
    expect(plan.draw({ operation: 'GetBlob', resource: '/a/c/diskxvhd' }, ['reset'])).toEqual([])
  })

  test('does not count where nobody asks for its effect', () => {
    const plan = new FaultPlan()
    plan.add({ nth: 1, effect: { kind: 'failOperation' } })
    expect(plan.draw(call, ['reset', 'status'])).toEqual([])
    expect(plan.draw(call, ['failOperation'])).toHaveLength(1)
  })

  test('that is none is refused', () => {
    const plan = new FaultPlan()
    expect(() => plan.add({ effect: { kind: 'explode' } } as unknown as FaultRuleSpec)).toThrow()
    expect(() => plan.add({ nht: 3, effect: RESET } as FaultRuleSpec)).toThrow('nht')
    plan.add({ id: 'one', effect: RESET })
    expect(() => plan.add({ id: 'one', effect: RESET })).toThrow('already')
  })
})

test('the plan lists what fired, and forgets it when it is cleared', () => {
  const plan = new FaultPlan(() => new Date('2026-01-02T03:04:05Z'))
  const ruleId = plan.add({ nth: 2, effect: RESET })
  plan.draw(call, ['reset'])
  plan.draw(call, ['reset'])
  expect(plan.fired()).toEqual([{ ...call, ruleId, kind: 'reset', call: 2, at: '2026-01-02T03:04:05.000Z' }])
  plan.clear()
  expect([plan.fired(), plan.rules()]).toEqual([[], []])
})
