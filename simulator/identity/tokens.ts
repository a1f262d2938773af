import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import { memoized } from '../memoized.ts'
import { NO_JOURNAL, type Journal } from '../state/journal.ts'
import type { Principal } from './principals.ts'

/**
 * Access tokens: JWTs with the claims of a managed identity, signed with a key that lives as long as the process, or in
 * a journal, so that a client goes on with its tokens over a restart.
 *
 * They are opaque to the SDKs, as real ones are. Those of another key are refused, like those of another tenant.
 */

export interface AccessToken {
  readonly token: string
  readonly expiresAt: Date
}

export interface TokenIssuer {
  /** A token for one resource (audience), e.g. `https://management.azure.com/`. */
  issue(principal: Principal, resource: string): AccessToken
  /**
   * Who the token speaks for; undefined when it is malformed, forged, expired or meant for another audience.
   * Trailing slashes of audiences do not count: `https://disk.azure.com//.default` asks for one with two.
   */
  verifyBearer(token: string, audience: string): VerifiedToken | undefined
}

export interface VerifiedToken {
  readonly principalId: string
  readonly clientId: string
}

export interface TokenIssuerOptions {
  readonly tenantId: string
  readonly clock: () => Date
  /** Keeps the key. Default: nothing is kept. */
  readonly journal?: Journal
  /** Default 24 hours, what managed identities get. */
  readonly lifetimeSeconds?: number
}

const CLAIMS = z.object({ aud: z.string(), oid: z.string(), appid: z.string(), nbf: z.number(), exp: z.number() })
const DEFAULT_LIFETIME_SECONDS = 24 * 3600

export function createTokenIssuer(options: TokenIssuerOptions): TokenIssuer {
  let key = randomBytes(32)
  const journal = options.journal ?? NO_JOURNAL
  journal.join<{ readonly key: string }>({
    name: 'token-key',
    apply: (entry) => void (key = Buffer.from(entry.key, 'base64')),
    entries: () => [{ key: key.toString('base64') }],
  })
  const lifetimeSeconds = options.lifetimeSeconds ?? DEFAULT_LIFETIME_SECONDS
  const header = encode({ typ: 'JWT', alg: 'HS256' })
  const sign = (content: string): Buffer => createHmac('sha256', key).update(content).digest()
  // A client sends its token with each request, so what it says is read once.
  const claimsOf = memoized((token: string) => verifiedClaims(token, sign))

  return {
    issue(principal, resource) {
      const issuedAt = Math.floor(options.clock().getTime() / 1000)
      const claims = {
        aud: resource,
        iss: `https://sts.windows.net/${options.tenantId}/`,
        iat: issuedAt,
        nbf: issuedAt,
        exp: issuedAt + lifetimeSeconds,
        appid: principal.clientId,
        oid: principal.principalId,
        sub: principal.principalId,
        tid: options.tenantId,
        ver: '1.0',
      }
      const content = `${header}.${encode(claims)}`
      const token = `${content}.${sign(content).toString('base64url')}`
      return { token, expiresAt: new Date(claims.exp * 1000) }
    },

    verifyBearer(token, audience) {
      const claims = claimsOf(token)
      if (claims === undefined) return undefined
      const nowSeconds = options.clock().getTime() / 1000
      if (nowSeconds >= claims.exp || nowSeconds < Math.floor(claims.nbf)) return undefined
      if (!sameAudience(claims.aud, audience)) return undefined
      return { principalId: claims.oid, clientId: claims.appid }
    },
  }
}

/** Undefined for a token that is malformed or of another key. */
function verifiedClaims(token: string, sign: (content: string) => Buffer): z.infer<typeof CLAIMS> | undefined {
  const [head, body, signature, ...rest] = token.split('.')
  if (head === undefined || body === undefined || signature === undefined || rest.length > 0) return undefined
  const given = Buffer.from(signature, 'base64url')
  const expected = sign(`${head}.${body}`)
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined
  return CLAIMS.parse(JSON.parse(Buffer.from(body, 'base64url').toString('utf8')))
}

function sameAudience(one: string, other: string): boolean {
  return normalAudience(one) === normalAudience(other)
}

function normalAudience(audience: string): string {
  return audience.replace(/\/+$/, '').toLowerCase()
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
