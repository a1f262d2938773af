/** What refusals of page lists mean (REST reference, Get Page Ranges and Blob Service error codes). */
import type { FailureType } from '../domain/failures.ts'
import type { StorageAuth } from './storage-rest.ts'
import type { ErrorContext } from './translate.ts'

type ListErrors = Pick<ErrorContext, 'when' | 'notFound' | 'action'>

/**
 * Whether a SAS that is refused has died or its snapshot is gone is not known from here: getting a new one tells
 * (404 of the compute service), so either way the access counts as lost.
 */
const SAS_ERRORS: Readonly<Record<string, FailureType>> = {
  '401': 'ExportAccessLost',
  '403': 'ExportAccessLost',
  '404': 'ExportAccessLost',
}

const READ_ACTION = 'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read'

/** @param isSnapshot of a blob in the target: that of a point may have been deleted while the blob is there. */
export function listErrors(auth: StorageAuth, isSnapshot: boolean): ListErrors {
  return auth === 'sas' ? { when: SAS_ERRORS } : { notFound: isSnapshot ? 'PointNotFound' : 'TargetNotFound', action: READ_ACTION }
}

/**
 * PreviousSnapshotNotFound, PreviousSnapshotCannotBeNewer, PreviousSnapshotOperationNotSupported, BlobOverwritten,
 * BlobGenerationMismatch, FeatureVersionMismatch and whatever else is a 400 or 409: there is no diff to be had.
 */
export function diffErrors(auth: StorageAuth, isSnapshot: boolean): ListErrors {
  const errors = listErrors(auth, isSnapshot)
  return { ...errors, when: { ...errors.when, '400': 'DiffRefused', '409': 'DiffRefused' } }
}
