import type { BlobRequest } from '../blob-request.ts'
import type { Account } from '../model/account.ts'
import type { OperationAccess } from '../operation.ts'
import type { Publications } from '../publications.ts'
import type { ServiceClock } from '../service-clock.ts'
import { StorageError } from '../storage-error.ts'
import type { Caller } from './caller.ts'
import { authorizeSas } from './sas.ts'
import { verifySharedKey } from './shared-key.ts'
import { LOCAL_TENANT_ID } from './user-delegation-key.ts'

/**
 * Settles who makes a request and whether that caller may do it. Public access is off for every account, so a request
 * without proof is 401.
 */

export type TokenAudience = 'https://storage.azure.com' | 'https://disk.azure.com'

export interface AuthorizerOptions {
  readonly publications: Publications
  readonly clock: ServiceClock
  /** Signatures that are good no more, whatever their SAS says. */
  readonly expiredSignatures: ReadonlySet<string>
  readonly verifyBearer: (token: string, audience: TokenAudience) => { principalId: string } | undefined
  /** Role assignments: may the principal do the action on the scope (an ARM id)? */
  readonly authorize: (principalId: string, action: string, scope: string) => boolean
}

export type Authorize = (request: BlobRequest, account: Account | undefined, access: OperationAccess) => Caller

export function createAuthorizer(options: AuthorizerOptions): Authorize {
  const { publications, clock, verifyBearer } = options

  function authorizePublication(request: BlobRequest, access: OperationAccess): Caller {
    const publication = publications.require(request, clock.now())
    const isAllowed =
      access.published === 'read' || (access.published === 'write' && publication.blob.kind === 'upload')
    if (!isAllowed) throw new StorageError('AuthorizationPermissionMismatch')
    if (publication.blob.needsBearer) {
      requireSecure(request)
      const token = bearerToken(request)
      if (token === undefined) throw new StorageError('NoAuthenticationInformation', { headers: CHALLENGE })
      const principal = verifyBearer(token, 'https://disk.azure.com')
      if (principal === undefined) throw invalidToken()
      const { dataRight } = publication.blob
      if (dataRight !== undefined && !options.authorize(principal.principalId, dataRight.action, dataRight.scope)) {
        throw new StorageError('AuthorizationPermissionMismatch')
      }
    }
    return { kind: 'publication', isPrivate: publication.blob.kind === 'export' && publication.blob.isPrivate }
  }

  function authorizeBearer(request: BlobRequest, account: Account, access: OperationAccess, token: string): Caller {
    requireSecure(request)
    const principal = verifyBearer(token, 'https://storage.azure.com')
    if (principal === undefined) throw invalidToken()
    requireRole(principal.principalId, request, account, access)
    return { kind: 'bearer', principalId: principal.principalId }
  }

  function requireRole(principalId: string, request: BlobRequest, account: Account, access: OperationAccess): void {
    const service = `${account.resourceId}/blobServices/default`
    const scope = request.level === 'account' ? service : `${service}/containers/${request.containerName}`
    if (!options.authorize(principalId, access.action, scope)) throw new StorageError('AuthorizationPermissionMismatch')
  }

  return (request, account, access) => {
    if (publications.owns(request.accountName)) return authorizePublication(request, access)
    // A real account that is not there has no host name; the local Azure has one host for all.
    if (account === undefined || !account.hasBlobService) throw new StorageError('ResourceNotFound')
    const token = bearerToken(request)
    if (token !== undefined) return authorizeBearer(request, account, access, token)
    const sharedKey = schemeValue(request, 'SharedKey')
    if (sharedKey !== undefined) {
      verifySharedKey(request, account, sharedKey)
      return { kind: 'sharedKey' }
    }
    const signature = request.query.get('sig')
    if (signature === null) throw new StorageError('NoAuthenticationInformation', { headers: CHALLENGE })
    if (options.expiredSignatures.has(signature)) {
      throw new StorageError('AuthenticationFailed', { reason: 'Signature not valid in the specified time frame.' })
    }
    const caller = authorizeSas(request, account, access, clock.now().getTime())
    // A user-delegation SAS can do no more than the user who signed it may do at the time of use.
    const signer = request.query.get('skoid')
    if (signer !== null) requireRole(signer, request, account, access)
    return caller
  }
}

const CHALLENGE = {
  'WWW-Authenticate': [
    `Bearer authorization_uri=https://login.microsoftonline.com/${LOCAL_TENANT_ID}/oauth2/authorize`,
    'resource_id=https://storage.azure.com',
  ].join(' '),
}

function bearerToken(request: BlobRequest): string | undefined {
  return schemeValue(request, 'Bearer')
}

function schemeValue(request: BlobRequest, scheme: string): string | undefined {
  const [given, value] = (request.header('authorization') ?? '').split(' ')
  return given?.toLowerCase() === scheme.toLowerCase() ? value : undefined
}

function requireSecure(request: BlobRequest): void {
  if (!request.isSecure) throw new StorageError('AuthenticationFailed', { reason: 'Bearer tokens need https.' })
}

function invalidToken(): StorageError {
  return new StorageError('InvalidAuthenticationInfo', { headers: CHALLENGE })
}
