import type { IncomingMessage, ServerResponse } from 'node:http'
import { requestTarget } from '../tls/request-target.ts'
import type { PrincipalDirectory } from './principals.ts'
import type { TokenIssuer } from './tokens.ts'

/**
 * The managed-identity endpoint of App Service, as DefaultAzureCredential calls it when IDENTITY_ENDPOINT and
 * IDENTITY_HEADER are set (learn.microsoft.com/azure/app-service/overview-managed-identity, REST reference).
 *
 * The header's value selects the principal; one that the directory does not know is refused. User-assigned
 * identities are accepted only when `client_id` or `principal_id` is that principal's own.
 */

const API_VERSION = '2019-08-01'

export function createIdentityHandler(directory: PrincipalDirectory, tokens: TokenIssuer) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    const { query } = requestTarget(request)
    const secret = request.headers['x-identity-header']
    const principal = typeof secret === 'string' ? directory.find(secret) : undefined
    const resource = query.get('resource')

    if (request.method !== 'GET') return refuse(response, 405, 'only GET is answered')
    if (principal === undefined) return refuse(response, 401, 'the X-IDENTITY-HEADER names no known principal')
    if (query.get('api-version') !== API_VERSION) return refuse(response, 400, `api-version must be ${API_VERSION}`)
    if (resource === null || resource === '') return refuse(response, 400, 'resource is missing')
    const clientId = query.get('client_id') ?? principal.clientId
    const principalId = query.get('principal_id') ?? principal.principalId
    if (clientId !== principal.clientId || principalId !== principal.principalId) {
      return refuse(response, 400, 'no managed identity found for the given id')
    }

    const { token, expiresAt } = tokens.issue(principal, resource)
    answer(response, 200, {
      access_token: token,
      expires_on: String(Math.floor(expiresAt.getTime() / 1000)),
      resource,
      token_type: 'Bearer',
      client_id: principal.clientId,
    })
  }
}

function refuse(response: ServerResponse, statusCode: number, message: string): void {
  answer(response, statusCode, { statusCode, message, correlationId: '00000000-0000-0000-0000-000000000000' })
}

function answer(response: ServerResponse, statusCode: number, body: object): void {
  response.writeHead(statusCode, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(body))
}
