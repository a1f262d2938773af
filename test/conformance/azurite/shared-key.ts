/** Authorization by the account key (REST: authorize-with-shared-key), for raw requests; the SDK signs only its own. */
import { createHmac } from 'node:crypto'

export interface AccountKey {
  readonly name: string
  /** Base64. */
  readonly key: string
}

type Headers = Readonly<Record<string, string>>

const SIGNED_HEADERS = [
  'content-encoding', 'content-language', 'content-length', 'content-md5', 'content-type', 'date',
  'if-modified-since', 'if-match', 'if-none-match', 'if-unmodified-since', 'range',
]

/** The headers of a request with `x-ms-date` and `Authorization`. */
export function signed(account: AccountKey, method: string, url: string, headers: Headers): Record<string, string> {
  const dated = { ...headers, 'x-ms-date': new Date().toUTCString() }
  const text = stringToSign(account.name, method, new URL(url), dated)
  const signature = createHmac('sha256', Buffer.from(account.key, 'base64')).update(text).digest('base64')
  return { ...dated, authorization: `SharedKey ${account.name}:${signature}` }
}

function stringToSign(accountName: string, method: string, url: URL, headers: Headers): string {
  const standard = SIGNED_HEADERS.map((name) => (name === 'content-length' && headers[name] === '0' ? '' : (headers[name] ?? '')))
  const own = Object.keys(headers).filter((name) => name.startsWith('x-ms-')).toSorted().map((name) => `${name}:${headers[name]}`)
  const query = [...url.searchParams].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([name, value]) => `${name}:${value}`)
  return [method, ...standard, ...own, `/${accountName}${url.pathname}`, ...query].join('\n')
}
