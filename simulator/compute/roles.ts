import { ArmError } from './arm-error.ts'

/**
 * Who may do what where: a table of role assignments, enough of Azure RBAC to run a client with least privilege.
 *
 * Actions are matched without regard to case and `*` stands for any text, as in role definitions. An assignment counts
 * for its scope and everything below it. There are no deny assignments.
 */

export interface RoleAssignment {
  /** e.g. `Microsoft.Compute/snapshots/write`, `Microsoft.Compute/disks/*`, `*`. */
  readonly actions: readonly string[]
  /** Taken off the actions of this assignment. */
  readonly notActions?: readonly string[] | undefined
  /** ARM id of a subscription, group or resource; default `/`, everywhere. */
  readonly scope?: string | undefined
}

export interface RoleTable {
  /** Replaces all assignments of a principal. */
  assign(principalId: string, assignments: readonly RoleAssignment[]): void
  isAllowed(principalId: string, action: string, scope: string): boolean
  /** Those that count at a scope: made on it or above it. */
  assignmentsAt(principalId: string, scope: string): readonly RoleAssignment[]
}

export interface Caller {
  readonly principalId: string
  readonly clientId: string
}

export function createRoleTable(): RoleTable {
  const assignmentsOf = new Map<string, readonly RoleAssignment[]>()
  return {
    assign: (principalId, assignments) => void assignmentsOf.set(principalId, assignments),
    isAllowed(principalId, action, scope) {
      const assignments = assignmentsOf.get(principalId) ?? []
      return assignments.some((assignment) => covers(assignment, action, scope))
    },
    assignmentsAt: (principalId, scope) =>
      (assignmentsOf.get(principalId) ?? []).filter((assignment) => isAtOrBelow(scope, assignment.scope ?? '/')),
  }
}

/** @throws ArmError 403 AuthorizationFailed, which names the action and the scope. */
export function requireAction(roles: RoleTable, caller: Caller, action: string, scope: string): void {
  if (roles.isAllowed(caller.principalId, action, scope)) return
  throw new ArmError(
    403,
    'AuthorizationFailed',
    `The client '${caller.clientId}' with object id '${caller.principalId}' does not have authorization to perform ` +
      `action '${action}' over scope '${scope}' or the scope is invalid. ` +
      'If access was recently granted, please refresh your credentials.',
  )
}

/**
 * For an action that a request needs on another resource than its own, such as the disk of a new snapshot.
 * @throws ArmError 403 LinkedAuthorizationFailed.
 */
export function requireLinkedAction(
  roles: RoleTable,
  caller: Caller,
  permitted: { readonly action: string; readonly scope: string },
  linked: { readonly action: string; readonly scope: string },
): void {
  if (roles.isAllowed(caller.principalId, linked.action, linked.scope)) return
  throw new ArmError(
    403,
    'LinkedAuthorizationFailed',
    `The client '${caller.clientId}' with object id '${caller.principalId}' has permission to perform action ` +
      `'${permitted.action}' on scope '${permitted.scope}'; however, it does not have permission to perform ` +
      `action(s) '${linked.action}' on the linked scope(s) '${linked.scope}' or the linked scope(s) are invalid.`,
  )
}

function covers(assignment: RoleAssignment, action: string, scope: string): boolean {
  return (
    isAtOrBelow(scope, assignment.scope ?? '/') &&
    assignment.actions.some((pattern) => matches(pattern, action)) &&
    !(assignment.notActions ?? []).some((pattern) => matches(pattern, action))
  )
}

function isAtOrBelow(scope: string, ancestor: string): boolean {
  const prefix = `${ancestor.toLowerCase().replace(/\/+$/, '')}/`
  return `${scope.toLowerCase()}/`.startsWith(prefix)
}

function matches(pattern: string, action: string): boolean {
  const source = pattern.split('*').map((text) => text.replace(/[.\\+?^${}()|[\]]/g, '\\$&')).join('.*')
  return new RegExp(`^${source}$`, 'i').test(action)
}
