import { describe, expect, test } from '@jest/globals'
import { createRoleTable, requireAction, requireLinkedAction } from '../../simulator/compute/roles.ts'

const GROUP = '/subscriptions/s1/resourceGroups/backup'
const SNAPSHOT = `${GROUP}/providers/Microsoft.Compute/snapshots/a`

describe('role table', () => {
  test('a principal without assignments may do nothing', () => {
    expect(createRoleTable().isAllowed('p', 'Microsoft.Compute/snapshots/read', SNAPSHOT)).toBe(false)
  })

  test.each([
    ['*', 'Microsoft.Compute/snapshots/delete', true],
    ['Microsoft.Compute/*', 'Microsoft.Compute/snapshots/delete', true],
    ['microsoft.compute/SNAPSHOTS/read', 'Microsoft.Compute/snapshots/read', true],
    ['Microsoft.Compute/*/read', 'Microsoft.Compute/snapshots/read', true],
    ['Microsoft.Compute/*/read', 'Microsoft.Compute/snapshots/write', false],
    ['Microsoft.Compute/snapshots', 'Microsoft.Compute/snapshots/read', false],
  ])('the action %s against %s: %s', (pattern, action, expected) => {
    const roles = createRoleTable()
    roles.assign('p', [{ actions: [pattern] }])
    expect(roles.isAllowed('p', action, SNAPSHOT)).toBe(expected)
  })

  test('an assignment counts for its scope and below, not for a sibling with the same beginning', () => {
    const roles = createRoleTable()
    roles.assign('p', [{ actions: ['*'], scope: GROUP.toUpperCase() }])
    expect(roles.isAllowed('p', 'x/read', SNAPSHOT)).toBe(true)
    expect(roles.isAllowed('p', 'x/read', GROUP)).toBe(true)
    expect(roles.isAllowed('p', 'x/read', `${GROUP}-2/providers/Microsoft.Compute/snapshots/a`)).toBe(false)
  })

  test('notActions take away from their own assignment only', () => {
    const roles = createRoleTable()
    const allButDelete = { actions: ['*'], notActions: ['Microsoft.Compute/snapshots/delete'] }
    roles.assign('p', [allButDelete])
    expect(roles.isAllowed('p', 'Microsoft.Compute/snapshots/delete', SNAPSHOT)).toBe(false)
    roles.assign('p', [allButDelete, { actions: ['Microsoft.Compute/snapshots/delete'] }])
    expect(roles.isAllowed('p', 'Microsoft.Compute/snapshots/delete', SNAPSHOT)).toBe(true)
  })

  test('a refusal names the action and the scope, and the linked one when it is that', () => {
    const caller = { principalId: 'oid', clientId: 'app' }
    const write = { action: 'Microsoft.Compute/snapshots/write', scope: SNAPSHOT }
    const linked = { action: 'Microsoft.Compute/disks/beginGetAccess/action', scope: `${GROUP}/disk` }
    const roles = createRoleTable()
    expect(() => requireAction(roles, caller, write.action, write.scope)).toThrow(
      `does not have authorization to perform action '${write.action}' over scope '${write.scope}'`,
    )
    expect(() => requireLinkedAction(roles, caller, write, linked)).toThrow(
      `does not have permission to perform action(s) '${linked.action}' on the linked scope(s) '${linked.scope}'`,
    )
  })
})
