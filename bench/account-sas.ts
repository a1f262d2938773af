import { createHmac } from 'node:crypto'

export interface AccountSas {
  readonly account: string
  /** Base64. */
  readonly key: string
  /** Letters of `sp`. */
  readonly permissions: string
}

const VERSION = '2023-11-03'

/** The query of a SAS for all blobs of an account, good for a day; see learn.microsoft.com/rest/api/storageservices/create-account-sas. */
export function accountSas({ account, key, permissions }: AccountSas): string {
  const expiry = `${new Date(Date.now() + 24 * 3600_000).toISOString().slice(0, 19)}Z`
  const fields = [account, permissions, 'b', 'sco', '', expiry, '', '', VERSION, '', '']
  const signature = createHmac('sha256', Buffer.from(key, 'base64')).update(fields.join('\n')).digest('base64')
  const query = { sv: VERSION, ss: 'b', srt: 'sco', sp: permissions, se: expiry, sig: signature }
  return new URLSearchParams(query).toString()
}
