/**
 * A target is the URL of a container: host-style `https://account.blob.core.windows.net/container` or, for
 * other endpoints, path-style `https://host:port/account/container`. No query: a target never carries a secret.
 */
import { BackupError } from './failures.ts'

export interface TargetUrl {
  /** Canonical: lower-case host, no trailing slash. Equal targets have equal URLs. */
  readonly url: string
  readonly account: string
  readonly container: string
  /** URL of the account's blob service. */
  readonly serviceUrl: string
}

/** Container names: 3-63 of lower-case letters, digits and single hyphens (REST reference, naming containers); `$root` and its kin are not for backups. */
const CONTAINER = /^[a-z0-9](?!.*--)[a-z0-9-]{1,61}[a-z0-9]$/

/** Azure's own hosts name the account: a second segment would be a folder, not a container. */
const BLOB_SERVICE_HOST = /^[^.]+\.(?:[^.]+\.)?blob\./
const ACCOUNTLESS_HOST = /^(?:localhost|[\d.]+|\[.*\])$/

/** @throws BackupError InvalidTarget */
export function parseTargetUrl(text: string): TargetUrl {
  const url = URL.canParse(text.trim()) ? new URL(text.trim()) : undefined
  if (url === undefined || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw invalid(text, 'it is not an http(s) URL')
  }
  if (url.search !== '' || url.username !== '' || url.password !== '' || url.hash !== '') {
    throw invalid(text, 'it must not carry a query, a fragment or credentials; access is by the signed-in identity')
  }
  const segments = url.pathname.split('/').filter((segment) => segment !== '')
  const isHostStyle = segments.length === 1
  if (isHostStyle ? ACCOUNTLESS_HOST.test(url.hostname) : BLOB_SERVICE_HOST.test(url.hostname)) {
    throw invalid(text, isHostStyle ? 'it names no account' : 'it must name one container and nothing below it')
  }
  const account = isHostStyle ? url.hostname.split('.')[0] : segments[0]
  const container = isHostStyle ? segments[0] : segments[1]
  if (segments.length < 1 || segments.length > 2 || account === undefined || container === undefined) {
    throw invalid(text, 'it must name one container')
  }
  if (!CONTAINER.test(container)) throw invalid(text, `"${container}" is not a container name`)
  const serviceUrl = isHostStyle ? url.origin : `${url.origin}/${account}`
  return { url: `${serviceUrl}/${container}`, account, container, serviceUrl }
}

function invalid(text: string, why: string): BackupError {
  const shown = text.replace(/[?#].*$/s, '').replace(/\/\/[^/]*@/, '//')
  return new BackupError({
    type: 'InvalidTarget',
    message:
      `"${shown}" is not a target: ${why}; expected https://ACCOUNT.blob.core.windows.net/CONTAINER ` +
      'or https://HOST:PORT/ACCOUNT/CONTAINER',
    facts: { target: shown },
  })
}
