import { guidOf } from './guid.ts'

/**
 * The directory of the local Azure: who exists in its one tenant.
 *
 * A principal's ids are derived from its name, so that they are the same after a restart. What a principal may do is
 * not known here; the role table of the compute service says it.
 */

export interface Principal {
  /** Also the value of IDENTITY_HEADER that selects it. */
  readonly name: string
  /** `oid` of its tokens; role assignments name it. */
  readonly principalId: string
  readonly clientId: string
}

export interface PrincipalDirectory {
  readonly tenantId: string
  /** The principal of that name, made when it is new. Twice is fine. */
  ensure(name: string): Principal
  find(name: string): Principal | undefined
}

/** A directory without principals. */
export function createPrincipalDirectory(): PrincipalDirectory {
  const principals = new Map<string, Principal>()
  return {
    tenantId: guidOf('tenant'),
    ensure(name) {
      const known = principals.get(name)
      if (known !== undefined) return known
      const principal = { name, principalId: guidOf(`principal/${name}`), clientId: guidOf(`client/${name}`) }
      principals.set(name, principal)
      return principal
    },
    find: (name) => principals.get(name),
  }
}
