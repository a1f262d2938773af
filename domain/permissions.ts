/** Which rights a set of role permissions gives, by the rules of Azure RBAC: `*` stands for any text, case makes no difference. */

/** One entry of what Azure says of an identity at a scope: what it may do, less what the same role takes away again. */
export interface Permission {
  readonly actions: readonly string[]
  readonly notActions: readonly string[]
}

export function isAllowed(permissions: readonly Permission[], action: string): boolean {
  return permissions.some(
    ({ actions, notActions }) =>
      actions.some((pattern) => matches(pattern, action)) && !notActions.some((pattern) => matches(pattern, action)),
  )
}

function matches(pattern: string, action: string): boolean {
  const source = pattern.split('*').map((text) => text.replace(/[.\\+?^${}()|[\]]/g, '\\$&')).join('.*')
  return new RegExp(`^${source}$`, 'i').test(action)
}
