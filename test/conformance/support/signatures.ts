/** User-delegation SAS, made by the SDK's own signer from a key that the service gives. */
import {
  BlobSASPermissions,
  BlobServiceClient,
  generateBlobSASQueryParameters,
  type BlobSASSignatureValues,
  type UserDelegationKey,
} from '@azure/storage-blob'
import type { Place } from './place.ts'

const HOUR_MS = 3_600_000

export interface Signer {
  /** A URL with a SAS; the container is that of the run. Default: read only, for an hour. */
  sign(blobName: string, values?: Partial<Omit<BlobSASSignatureValues, 'permissions'>> & { permissions?: string }): string
}

/** Needs the right to ask for a user-delegation key, which Storage Blob Data Contributor has. */
export async function createSigner({ accountUrl, credential }: Place, containerUrl: string): Promise<Signer> {
  const service = new BlobServiceClient(accountUrl, credential)
  // Clocks differ: what begins now has not begun over there.
  const startsOn = new Date(Date.now() - HOUR_MS)
  const key: UserDelegationKey = await service.getUserDelegationKey(startsOn, new Date(Date.now() + HOUR_MS))
  const containerName = containerUrl.split('/').at(-1) ?? ''
  return {
    sign(blobName, { permissions = 'r', ...values } = {}) {
      const full = {
        containerName,
        blobName,
        permissions: BlobSASPermissions.parse(permissions),
        startsOn,
        expiresOn: new Date(Date.now() + HOUR_MS / 2),
        ...values,
      }
      const query = generateBlobSASQueryParameters(full, key, service.accountName)
      const snapshot = values.snapshotTime === undefined ? '' : `snapshot=${encodeURIComponent(values.snapshotTime)}&`
      return `${containerUrl}/${blobName}?${snapshot}${query.toString()}`
    },
  }
}
