/**
 * Tokens of one local Azure. `DefaultAzureCredential` keeps those of a managed identity for the life of the process, so it would
 * show the local Azure of one measure the tokens of another.
 */
import type { TokenCredential } from '@azure/identity'
import { request } from 'undici'
import type { AzureReady } from './azure-orders.ts'

export function credentialOf({ identityEndpoint, identityHeader }: AzureReady): TokenCredential {
  return {
    async getToken(scopes) {
      const resource = [scopes].flat()[0]!.replace(/\/\.default$/, '')
      const url = `${identityEndpoint}?api-version=2019-08-01&resource=${encodeURIComponent(resource)}`
      const { statusCode, body } = await request(url, { headers: { 'x-identity-header': identityHeader } })
      const answer = (await body.json()) as { access_token: string; expires_on: string }
      if (statusCode !== 200) throw new Error(`the identity endpoint answered ${statusCode}: ${JSON.stringify(answer)}`)
      return { token: answer.access_token, expiresOnTimestamp: Number(answer.expires_on) * 1000 }
    },
  }
}
