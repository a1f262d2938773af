/**
 * Every error that the blob service answers with: code, HTTP status and the text of the service.
 *
 * Source: learn.microsoft.com/rest/api/storageservices/blob-service-error-codes and common-rest-api-error-codes; codes
 * that are only known from issue threads are marked.
 */

const CATALOGUE = {
  AuthenticationFailed: [
    403,
    'Server failed to authenticate the request. ' +
      'Make sure the value of Authorization header is formed correctly including the signature.',
  ],
  AuthorizationFailure: [403, 'This request is not authorized to perform this operation.'],
  AuthorizationPermissionMismatch: [
    403,
    'This request is not authorized to perform this operation using this permission.',
  ],
  AuthorizationProtocolMismatch: [403, 'This request is not authorized to perform this operation using this protocol.'],
  AuthorizationResourceTypeMismatch: [
    403,
    'This request is not authorized to perform this operation using this resource type.',
  ],
  AuthorizationServiceMismatch: [403, 'This request is not authorized to perform this operation using this service.'],
  AuthorizationSourceIPMismatch: [
    403,
    'This request is not authorized to perform this operation using this source IP.',
  ],
  BlobAlreadyExists: [409, 'The specified blob already exists.'],
  /** No blob has a tier here: for faults. */
  BlobArchived: [409, 'This operation is not permitted on an archived blob.'],
  BlobGenerationMismatch: [409, 'The blob generation does not match.'],
  BlobNotFound: [404, 'The specified blob does not exist.'],
  BlobOperationNotSupported: [409, 'The operation is not supported in this scenario.'],
  BlobOverwritten: [409, 'The blob has been recreated since the previous snapshot was taken.'],
  // Seen in github.com/Azure/azure-diagnostics-tools/issues/78 (page blobs) and azure-storage-python/issues/264.
  BlobTypeNotSupported: [400, 'Page blob is not supported for this account type.'],
  CannotVerifyCopySource: [500, 'Could not verify the copy source within the specified time.'],
  ConditionNotMet: [412, 'The condition specified using HTTP conditional header(s) is not met.'],
  ContainerAlreadyExists: [409, 'The specified container already exists.'],
  ContainerNotFound: [404, 'The specified container does not exist.'],
  // Seen in issue threads on server-side copies from disks with private access.
  CopySourceCannotBeIncrementalCopyBlob: [409, 'Source blob of a copy operation cannot be an incremental copy blob.'],
  Crc64Mismatch: [
    400,
    'The CRC64 value specified in the request did not match the CRC64 value calculated by the server.',
  ],
  EmptyMetadataKey: [400, 'The key for one of the metadata key-value pairs is empty.'],
  FeatureVersionMismatch: [409, 'The operation for the blob requires a newer version of the service.'],
  InfiniteLeaseDurationRequired: [
    412,
    'The lease ID matched, but the specified lease must be an infinite-duration lease.',
  ],
  InternalError: [500, 'The server encountered an internal error. Please retry the request.'],
  InvalidAuthenticationInfo: [
    401,
    'Server failed to authenticate the request. Please refer to the information in the www-authenticate header.',
  ],
  InvalidBlobType: [409, 'The blob type is invalid for this operation.'],
  InvalidBlockId: [400, 'The specified block ID is invalid. The block ID must be Base64-encoded.'],
  InvalidBlockList: [400, 'The specified block list is invalid.'],
  InvalidHeaderValue: [400, 'The value for one of the HTTP headers is not in the correct format.'],
  InvalidInput: [400, 'One of the request inputs is not valid.'],
  InvalidMd5: [
    400,
    'The MD5 value specified in the request is invalid. MD5 value must be 128 bits and base64 encoded.',
  ],
  InvalidMetadata: [400, 'The metadata specified is invalid. It has characters that are not permitted.'],
  InvalidOperation: [400, 'Invalid operation against a blob snapshot.'],
  InvalidPageRange: [416, 'The page range specified is invalid.'],
  InvalidQueryParameterValue: [400, 'Value for one of the query parameters specified in the request URI is invalid.'],
  InvalidRange: [416, 'The range specified is invalid for the current size of the resource.'],
  InvalidResourceName: [400, 'The specified resource name contains invalid characters.'],
  InvalidUri: [400, 'The requested URI does not represent any resource on the server.'],
  InvalidXmlDocument: [400, 'XML specified is not syntactically valid.'],
  LeaseAlreadyPresent: [409, 'There is already a lease present.'],
  LeaseIdMismatchWithBlobOperation: [412, 'The lease ID specified did not match the lease ID for the blob.'],
  LeaseIdMismatchWithLeaseOperation: [409, 'The lease ID specified did not match the lease ID for the blob.'],
  LeaseIdMissing: [412, 'There is currently a lease on the blob and no lease ID was specified in the request.'],
  LeaseIsBreakingAndCannotBeAcquired: [
    409,
    'The lease ID matched, but the lease is currently in breaking state and cannot be acquired until it is broken.',
  ],
  LeaseIsBreakingAndCannotBeChanged: [
    409,
    'The lease ID matched, but the lease is currently in breaking state and cannot be changed.',
  ],
  LeaseIsBrokenAndCannotBeRenewed: [
    409,
    'The lease ID matched, but the lease has been broken explicitly and cannot be renewed.',
  ],
  LeaseLost: [412, 'A lease ID was specified, but the lease for the blob has expired.'],
  LeaseNotPresentWithBlobOperation: [412, 'There is currently no lease on the blob.'],
  LeaseNotPresentWithLeaseOperation: [409, 'There is currently no lease on the blob.'],
  Md5Mismatch: [
    400,
    'The MD5 value specified in the request did not match with the MD5 value calculated by the server.',
  ],
  MetadataTooLarge: [400, 'The metadata specified exceeds the maximum permissible limit.'],
  MissingContentLengthHeader: [411, 'Content-Length header was not specified.'],
  MissingRequiredHeader: [400, 'An HTTP header that is mandatory for this request is not specified.'],
  MissingRequiredQueryParameter: [400, 'A query parameter that is mandatory for this request is not specified.'],
  NoAuthenticationInformation: [
    401,
    'Server failed to authenticate the request. Please refer to the information in the www-authenticate header.',
  ],
  PendingCopyOperation: [409, 'There is currently a pending copy operation.'],
  CopyIdMismatch: [409, 'The specified copy ID did not match the copy ID for the pending copy operation.'],
  NoPendingCopyOperation: [409, 'There is currently no pending copy operation.'],
  /** Not of Azure: an operation that the local Azure does not offer. */
  NotImplemented: [501, 'The local Azure does not offer this operation.'],
  OperationTimedOut: [500, 'The operation could not be completed within the permitted time.'],
  OutOfRangeInput: [400, 'One of the request inputs is out of range.'],
  OutOfRangeQueryParameterValue: [
    400,
    'One of the query parameters specified in the request URI is outside the permissible range.',
  ],
  PreviousSnapshotCannotBeNewer: [
    400,
    'The prevsnapshot query parameter value cannot be newer than snapshot query parameter value.',
  ],
  PreviousSnapshotNotFound: [409, 'The previous snapshot is not found.'],
  PreviousSnapshotOperationNotSupported: [
    409,
    'Differential Get Page Ranges is not supported on the previous snapshot.',
  ],
  PublicAccessNotPermitted: [409, 'Public access is not permitted on this storage account.'],
  RequestBodyTooLarge: [413, 'The request body is too large and exceeds the maximum permissible limit.'],
  ResourceNotFound: [404, 'The specified resource does not exist.'],
  SequenceNumberConditionNotMet: [412, 'The sequence number condition specified was not met.'],
  SequenceNumberIncrementTooLarge: [
    409,
    'The sequence number increment cannot be performed because it would result in overflow of the sequence number.',
  ],
  ServerBusy: [503, 'The server is currently unable to receive requests. Please retry your request.'],
  SnapshotCountExceeded: [409, 'The snapshot count against this blob has been exceeded.'],
  SnapshotOperationRateExceeded: [409, 'The rate of snapshot operations against this blob has been exceeded.'],
  SnapshotsPresent: [409, 'This operation is not permitted because the blob has snapshots.'],
  SourceConditionNotMet: [412, 'The source condition specified using HTTP conditional header(s) is not met.'],
  UnauthorizedBlobOverwrite: [403, 'This request is not authorized to perform blob overwrites.'],
  // Asserted by the Azure CLI's live tests of `storage blob show --if-none-match *`.
  UnsatisfiableCondition: [400, 'The request includes an unsatisfiable condition for this operation.'],
  UnsupportedHeader: [400, 'One of the HTTP headers specified in the request is not supported.'],
  // Seen in github.com/Azure/azure-sdk-for-java/issues/32386.
  UnsupportedHeaderForNonManagedDisksAccount: [
    400,
    'The x-ms-previous-snapshot-url header is only supported for managed disk accounts.',
  ],
  UnsupportedHttpVerb: [405, 'The resource does not support the specified HTTP verb.'],
  UnsupportedQueryParameter: [400, 'One of the query parameters specified in the request URI is not supported.'],
} satisfies Record<string, readonly [status: number, message: string]>

export type StorageErrorCode = keyof typeof CATALOGUE

export function isStorageErrorCode(code: string): code is StorageErrorCode {
  return Object.hasOwn(CATALOGUE, code)
}

export interface StorageErrorDetail {
  /** Instead of the status of the catalogue: a read that meets a condition answers 304, a write 412. */
  readonly status?: number
  /** Instead of a code of the catalogue, for a fault that shall have one which the service does not know. */
  readonly code?: string
  /** Instead of the text of the catalogue. */
  readonly message?: string
  /** What exactly is wrong; goes into `AuthenticationErrorDetail` or `ReasonDetail` of the body. Never a secret. */
  readonly reason?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Ends an operation with an error answer. */
export class StorageError extends Error {
  readonly code: string
  readonly status: number
  readonly reason: string | undefined
  readonly headers: Readonly<Record<string, string>>

  constructor(code: StorageErrorCode, detail: StorageErrorDetail = {}) {
    const [status, message] = CATALOGUE[code]
    super(detail.message ?? message)
    this.name = 'StorageError'
    this.code = detail.code ?? code
    this.status = detail.status ?? status
    this.reason = detail.reason
    this.headers = detail.headers ?? {}
  }
}
