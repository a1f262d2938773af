/**
 * The SDK clients of one process: one credential, one connection pool, one pipeline for all blobs.
 *
 * Nothing is called here. Retries of the storage SDK are off, see `call.ts`; those of the compute SDK are its own, with
 * the limits of `arm-policies.ts`.
 */
import { ComputeManagementClient } from '@azure/arm-compute'
import { DefaultAzureCredential, type TokenCredential } from '@azure/identity'
import {
  AnonymousCredential,
  BlobServiceClient,
  ContainerClient,
  newPipeline,
  PageBlobClient,
  type Pipeline,
} from '@azure/storage-blob'
import { BackupError } from '../domain/failures.ts'
import { parseTargetUrl, type TargetUrl } from '../domain/target-url.ts'
import { deadlinePolicy, grantOutputPolicy, longWaitPolicy } from './arm-policies.ts'
import { forgivingCredential, tokenSource } from './credential.ts'
import { createDiskData, DISK_SCOPE, type DiskData, type SasAuth } from './disk-data.ts'
import type { AzureSettings } from './settings.ts'

export const STORAGE_SCOPE = 'https://storage.azure.com/.default'

export interface AzureClients {
  readonly settings: AzureSettings
  readonly credential: TokenCredential
  compute(subscriptionId: string): ComputeManagementClient
  container(targetUrl: string): ContainerClient
  /** The account that a target lies in. */
  blobService(targetUrl: string): BlobServiceClient
  /** A bearer token for storage, for requests that name a second blob as their source. */
  storageToken(signal?: AbortSignal): Promise<string>
  /** How the SAS of disks and snapshots are used. */
  readonly diskData: DiskData
  /**
   * A client for a blob that is reached by its SAS. The SDK sends the URL byte for byte as granted, appending to it; a
   * SAS that loses `snapshot=` or another case of its letters is refused.
   */
  sasBlob(sasUrl: string, auth: SasAuth): PageBlobClient
  /** A bearer token for protected disks and snapshots, for requests that name one as their source. */
  diskToken(signal?: AbortSignal): Promise<string>
}

/** Repetition is `call.ts`'s. */
const STORAGE_OPTIONS = { retryOptions: { maxTries: 1 } }

export function createAzureClients(
  settings: AzureSettings,
  credential: TokenCredential = new DefaultAzureCredential(),
): AzureClients {
  const identity = forgivingCredential(credential)
  const pipeline = newPipeline(identity, STORAGE_OPTIONS)
  const sasPipelines: Readonly<Record<SasAuth, Pipeline>> = {
    sas: newPipeline(new AnonymousCredential(), STORAGE_OPTIONS),
    'sas+token': newPipeline(identity, { ...STORAGE_OPTIONS, audience: DISK_SCOPE }),
  }
  const computeClients = new Map<string, ComputeManagementClient>()
  return {
    settings,
    credential: identity,
    compute(subscriptionId) {
      const client = computeClients.get(subscriptionId) ?? createComputeClient(settings, identity, subscriptionId)
      computeClients.set(subscriptionId, client)
      return client
    },
    container: (targetUrl) => new ContainerClient(parseSecureTarget(targetUrl).url, pipeline),
    blobService: (targetUrl) => new BlobServiceClient(parseSecureTarget(targetUrl).serviceUrl, pipeline),
    storageToken: tokenSource(identity, STORAGE_SCOPE),
    diskData: createDiskData(),
    sasBlob: (sasUrl, auth) => new PageBlobClient(sasUrl, sasPipelines[auth]),
    diskToken: tokenSource(identity, DISK_SCOPE),
  }
}

/** Tokens travel over TLS only; the SDK would say so without naming the target. */
function parseSecureTarget(targetUrl: string): TargetUrl {
  const target = parseTargetUrl(targetUrl)
  if (target.url.startsWith('https:')) return target
  throw new BackupError({
    type: 'InvalidTarget',
    message:
      `target ${target.url} is not https: the token of the identity must not travel without TLS; ` +
      'use its https address',
    facts: { target: target.url },
  })
}

function createComputeClient(
  settings: AzureSettings,
  credential: TokenCredential,
  subscriptionId: string,
): ComputeManagementClient {
  return new ComputeManagementClient(credential, subscriptionId, {
    endpoint: settings.resourceManagerEndpoint.replace(/\/+$/, ''),
    credentials: { scopes: [`${settings.resourceManagerAudience.replace(/\/+$/, '')}/.default`] },
    additionalPolicies: [deadlinePolicy(), longWaitPolicy(), grantOutputPolicy()].map((policy) => ({
      policy,
      position: 'perRetry' as const,
    })),
  })
}
