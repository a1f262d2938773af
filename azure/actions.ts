/** The rights that calls of the storage service need, by the names that role definitions use. */

const BLOBS = 'Microsoft.Storage/storageAccounts/blobServices/containers/blobs'

export const BLOB_READ = `${BLOBS}/read`
export const BLOB_WRITE = `${BLOBS}/write`
export const BLOB_DELETE = `${BLOBS}/delete`
