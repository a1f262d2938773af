/** Deleting a blob, or a snapshot of one, that may be gone already. */
import { orUndefined } from './arm-call.ts'
import { callStorage, type StorageCall } from './call.ts'

interface Deletable {
  delete(options: { readonly abortSignal: AbortSignal }): Promise<unknown>
}

/** One that is gone already is fine. @throws BackupError AccessDenied | … */
export async function deleteIfThere(call: StorageCall, blob: Deletable): Promise<void> {
  await orUndefined('PointNotFound', () => callStorage({ ...call, notFound: 'PointNotFound' }, (abortSignal) => blob.delete({ abortSignal })))
}
