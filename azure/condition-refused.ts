/** What Azure says where If-None-Match finds a blob, or If-Match another one. */
import { isFailure, type BackupError } from '../domain/failures.ts'

/** ConditionNotMet (412); BlobAlreadyExists (409), of services that judge that first. It says nothing of who made what stands there. */
export function isConditionRefused(error: unknown): error is BackupError {
  return isFailure(error) && (error.facts['status'] === 409 || error.facts['status'] === 412)
}
