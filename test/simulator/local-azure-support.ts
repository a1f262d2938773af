import type { AccessToken, TokenCredential } from '@azure/identity'
import { ComputeManagementClient } from '@azure/arm-compute'
import type { ContainerClient, PageBlobClient } from '@azure/storage-blob'
import { startLocalAzure, type LocalAzure, type LocalAzureOptions } from '../../simulator/azure.ts'
import { createVhdFooter } from '../../simulator/compute/vhd-footer.ts'
import { certificateAuthorityDirectory } from '../support/environment.ts'

/**
 * A local Azure for tests, with clients as the SDKs come.
 *
 * TLS is verified: the process has been started with NODE_EXTRA_CA_CERTS naming the CA of the tests, which the test
 * runner sees to.
 */

export async function startForTests(options: LocalAzureOptions = {}): Promise<LocalAzure> {
  return startLocalAzure({
    caDir: certificateAuthorityDirectory(),
    ...options,
    settings: { enforceSnapshotRate: false, enforceThrottling: false, ...options.settings },
  })
}

/** Tokens of one principal, straight from the identity endpoint and never cached across servers. */
export function credentialOf(azure: LocalAzure, principal = azure.identityHeader): TokenCredential {
  return {
    async getToken(scopes): Promise<AccessToken> {
      const scope = Array.isArray(scopes) ? (scopes[0] ?? '') : scopes
      const url = new URL(azure.identityEndpoint)
      url.searchParams.set('api-version', '2019-08-01')
      url.searchParams.set('resource', scope.replace(/\/\.default$/, ''))
      const ask = (): Promise<Response> => fetch(url, { headers: { 'x-identity-header': principal } })
      // A connection that was idle for long may end in the moment in which it is used.
      const response = await ask().catch(ask)
      if (!response.ok) throw new Error(`no token for ${principal}: ${response.status} ${await response.text()}`)
      const body = (await response.json()) as { access_token: string; expires_on: string }
      return { token: body.access_token, expiresOnTimestamp: Number(body.expires_on) * 1000 }
    },
  }
}

export function computeClient(azure: LocalAzure, principal?: string): ComputeManagementClient {
  return new ComputeManagementClient(credentialOf(azure, principal), azure.subscriptionId, {
    endpoint: azure.resourceManagerEndpoint,
    credentials: { scopes: [`${azure.resourceManagerAudience}/.default`] },
    retryOptions: { maxRetries: 0 },
  })
}

export interface Refusal {
  readonly status: number
  readonly code: unknown
  readonly message: string
}

/** The error that an SDK call ends with. Fails when the call does not end with one. */
export async function refusalOf(call: PromiseLike<unknown>): Promise<Refusal> {
  try {
    await call
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const { statusCode, code } = error as { statusCode?: unknown; code?: unknown }
    return { status: Number(statusCode), code, message: error.message }
  }
  throw new Error('the call was not refused')
}

/** An authenticated request to the resource manager, for what the SDK hides. */
export async function callResourceManager(
  azure: LocalAzure,
  method: string,
  path: string,
  body?: unknown,
  principal?: string,
): Promise<Response> {
  const credential = credentialOf(azure, principal)
  const token = await credential.getToken(`${azure.resourceManagerAudience}/.default`)
  const url = path.startsWith('https:') ? path : `${azure.resourceManagerEndpoint}${path}`
  return fetch(url, {
    method,
    headers: { authorization: `Bearer ${token?.token ?? ''}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
}

export const MIB = 1024 ** 2

/** A fixed VHD of `sizeBytes` with `data` at its beginning, as a page blob of a container that exists. */
export async function uploadVhd(
  container: ContainerClient,
  name: string,
  sizeBytes: number,
  data: Buffer,
): Promise<PageBlobClient> {
  const blob = container.getPageBlobClient(name)
  await blob.create(sizeBytes + 512)
  await blob.uploadPages(data, 0, data.length)
  const footer = createVhdFooter({ diskSizeBytes: sizeBytes, createdAt: new Date(1e12), uniqueId: '0'.repeat(32) })
  await blob.uploadPages(footer, sizeBytes, footer.length)
  return blob
}
