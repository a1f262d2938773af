/**
 * The identity that calls Azure. Wraps a credential so that one which has worked before does not end a run by a hiccup
 * of its token service: such a failure is temporary, while a credential that never worked is a mistake of set-up.
 */
import type { AccessToken, TokenCredential } from '@azure/identity'
import { BackupError } from '../domain/failures.ts'
import { isCredentialError, translate } from './translate.ts'

export function forgivingCredential(credential: TokenCredential): TokenCredential {
  let hasWorked = false
  return {
    async getToken(scopes, options) {
      try {
        const token = await credential.getToken(scopes, options)
        hasWorked ||= token !== null
        return token
      } catch (error) {
        if (!hasWorked || !isCredentialError(error)) throw error
        throw new BackupError({
          type: 'AzureUnavailable',
          message: `the credential gave no new token: ${error.message.split('\n')[0]}; it is tried again later`,
        })
      }
    },
  }
}

/** Time before the expiry at which a token is no longer handed out: longer than any request that carries it. */
const MARGIN_MS = 5 * 60_000

/** Gets tokens of one scope, at most one at a time, and keeps the last while it is good. */
export function tokenSource(credential: TokenCredential, scope: string): (signal?: AbortSignal) => Promise<string> {
  let current: AccessToken | undefined
  return async (signal) => {
    if (current !== undefined && current.expiresOnTimestamp - MARGIN_MS > Date.now()) return current.token
    try {
      current = (await credential.getToken(scope, signal === undefined ? {} : { abortSignal: signal })) ?? undefined
    } catch (error) {
      throw translate(error, { doing: 'get a token for', on: scope })
    }
    if (current !== undefined) return current.token
    throw new BackupError({
      type: 'NotSignedIn',
      message: `the credential has no token for ${scope}; sign in with \`az login\``,
    })
  }
}
