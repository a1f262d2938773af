import type { IncomingMessage } from 'node:http'
import { ArmError } from './arm-error.ts'
import type { Caller } from './roles.ts'

/** Who calls: the bearer token of a request, for the audience of the resource manager. */

export interface BearerOptions {
  readonly tenantId: string
  /** Any of these in `aud` will do. */
  readonly audiences: readonly string[]
  readonly verifyBearer: (token: string, audience: string) => Caller | undefined
}

/** @throws ArmError 401 with WWW-Authenticate, when there is no token or none that is valid here. */
export function authenticate(request: IncomingMessage, options: BearerOptions): Caller {
  const token = /^Bearer (?<token>\S+)$/i.exec(request.headers.authorization ?? '')?.groups?.['token']
  if (token === undefined) {
    throw unauthorized(options, 'AuthenticationFailed', "Authentication failed. The 'Authorization' header is missing.")
  }
  for (const audience of options.audiences) {
    const caller = options.verifyBearer(token, audience)
    if (caller !== undefined) return caller
  }
  throw unauthorized(
    options,
    'InvalidAuthenticationToken',
    `The access token is malformed, expired or not for one of the audiences '${options.audiences.join(',')}'.`,
  )
}

function unauthorized(options: BearerOptions, code: string, message: string): ArmError {
  const challenge =
    `Bearer authorization_uri="https://login.windows.net/${options.tenantId}", error="invalid_token", ` +
    `error_description="${message}"`
  return new ArmError(401, code, message, { 'WWW-Authenticate': challenge })
}
