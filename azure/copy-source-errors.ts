/**
 * Put Page From URL fails for two parties: the source that is read and the destination that is written. Only the first
 * concerns the export access.
 */
import type { FailureType } from '../domain/failures.ts'
import { readVendorError, type VendorError } from './vendor-error.ts'

/**
 * What the failure of a copy means where the source is at fault; undefined where it is the destination, or unknown.
 * `isBearerSource`: the source is read by a token, so no new SAS can help; the bytes can still be streamed.
 */
export function copySourceFailure(error: unknown, isBearerSource: boolean): FailureType | undefined {
  const vendor = readVendorError(error)
  if (vendor === undefined) return undefined
  if (isRefusalOfCopying(vendor)) return 'ServerSideCopyRefused'
  const status = vendor.copySourceStatus ?? (vendor.code === 'CannotVerifyCopySource' ? vendor.status : undefined)
  if (status === undefined) return undefined
  if (isBusy(vendor, status)) return 'AzureThrottled'
  if (status === 408 || status >= 500) return 'AzureUnavailable'
  return isBearerSource || !MAY_BE_LOST.includes(status) ? 'ServerSideCopyRefused' : 'ExportAccessLost'
}

/** What a SAS that has died is answered with; a new one cannot help against anything else. */
const MAY_BE_LOST: readonly number[] = [401, 403, 404]

/**
 * CopySourceCannotBeIncrementalCopyBlob is what snapshots under private access answer (azure-sdk issue threads). A URL
 * that is too long for a header (2 KiB) and a service without the operation (501) cannot copy either.
 */
function isRefusalOfCopying({ status, code }: VendorError): boolean {
  if (status === 501) return true
  if (code === undefined || code === 'CannotVerifyCopySource') return false
  return /copysource/i.test(code) && (status === 409 || status === 400)
}

function isBusy({ copySourceCode }: VendorError, status: number): boolean {
  return status === 429 || status === 503 || copySourceCode === 'ServerBusy' || copySourceCode === 'OperationTimedOut'
}
