import { createHmac } from 'node:crypto'

/**
 * User delegation keys. The value is derived from what the key says of itself, so the service keeps no list of the keys
 * that it gave out, and one that was altered signs nothing.
 */
export interface UserDelegationKeyFields {
  readonly objectId: string
  readonly tenantId: string
  /** ISO time without fraction, as all times of a SAS. */
  readonly start: string
  readonly expiry: string
  readonly service: string
  readonly version: string
}

/** The tenant that all principals of the local Azure live in. */
export const LOCAL_TENANT_ID = '00000000-0000-4000-8000-000000000000'

export const MAX_USER_DELEGATION_KEY_MS = 7 * 24 * 3600 * 1000

export function userDelegationKeyValue(accountKey: Buffer, fields: UserDelegationKeyFields): Buffer {
  const text = [fields.objectId, fields.tenantId, fields.start, fields.expiry, fields.service, fields.version].join(
    '\n',
  )
  return createHmac('sha256', accountKey).update(text).digest()
}
