/**
 * Which SAS of disks and snapshots need a bearer token beside them: those of `dataAccessAuthMode: AzureActiveDirectory`.
 *
 * It is learnt from the answer to a call without one, as AzCopy does, once for each SAS. So it holds whatever made the
 * resource and whenever its mode was changed, and costs no call of the resource manager.
 */
import { BackupError } from '../domain/failures.ts'
import { readVendorError, type VendorError } from './vendor-error.ts'

/** The double slash is Azure's: the audience itself ends with one (learn.microsoft.com, disks-secure-upload-download). */
export const DISK_SCOPE = 'https://disk.azure.com//.default'

/** How a SAS URL is used: by itself, or with a token for `DISK_SCOPE` beside it. */
export type SasAuth = 'sas' | 'sas+token'

/** Who of a call the SAS is for: a Put Page From URL has a source beside the blob that it is sent to. */
type Party = 'itself' | 'source'

export interface DiskData {
  /**
   * Calls with the SAS alone, or as this SAS is known to need; where a token turns out to be missing, once more with it.
   * @throws what `send` throws; BackupError AccessDenied where the identity may not have such data.
   */
  use<T>(sasUrl: string, send: (auth: SasAuth) => Promise<T>, party?: Party): Promise<T>
}

/** One that is forgotten is found out again. */
const MAX_KNOWN_SAS = 1000

export function createDiskData(): DiskData {
  const known = new Map<string, SasAuth>()
  const learn = (sasUrl: string, auth: SasAuth): void => {
    if (known.size >= MAX_KNOWN_SAS) known.clear()
    known.set(sasUrl, auth)
  }
  return {
    async use(sasUrl, send, party = 'itself') {
      const auth = known.get(sasUrl)
      try {
        return await send(auth ?? 'sas')
      } catch (error) {
        const first = refusalOf(error, party)
        if (first === undefined) throw error
        if (auth === 'sas+token') throw denied(first) ?? error
        // Tokens travel over TLS only; and what a token did not help before, it will not help now.
        if (auth === 'sas' || !sasUrl.startsWith('https:')) throw error
        try {
          const answer = await send('sas+token')
          learn(sasUrl, 'sas+token')
          return answer
        } catch (second) {
          const status = statusOf(readVendorError(second), party)
          if (status === 401 || status === 403) {
            // Only who asks for a token (401) has a say in what its bearer may do; a SAS that has died is refused either way.
            const denial = first.status === 401 ? denied(readVendorError(second)) : undefined
            if (denial === undefined) learn(sasUrl, 'sas')
            throw denial ?? error
          }
          if (status !== undefined) learn(sasUrl, 'sas+token')
          // Without an answer, a token may not even have been to be had: that matters only where one was asked for.
          throw status === undefined && first.status !== 401 ? error : second
        }
      }
    },
  }
}

function refusalOf(error: unknown, party: Party): { status: number } & Partial<VendorError> | undefined {
  const vendor = readVendorError(error)
  const status = statusOf(vendor, party)
  return status === 401 || status === 403 ? { ...vendor, status } : undefined
}

/** What the holder of the SAS answered. */
function statusOf(vendor: VendorError | undefined, party: Party): number | undefined {
  if (vendor === undefined) return undefined
  const isOfSource = vendor.copySourceStatus !== undefined || vendor.code === 'CannotVerifyCopySource'
  if (isOfSource !== (party === 'source')) return undefined
  return vendor.copySourceStatus ?? vendor.status
}

/** The token was accepted, and its bearer may not do it. */
function denied(vendor: Partial<VendorError> | undefined): BackupError | undefined {
  const code = vendor?.copySourceCode ?? vendor?.code
  if (code !== 'AuthorizationPermissionMismatch') return undefined
  return new BackupError({
    type: 'AccessDenied',
    message:
      'the data of the disk is protected by Entra, and the identity may not have it; grant it the role Data Operator for ' +
      'Managed Disks (Microsoft.Compute/snapshots/download/action, Microsoft.Compute/disks/upload/action, Microsoft.Compute/disks/download/action)',
    facts: { code, requestId: vendor?.requestId },
  })
}
