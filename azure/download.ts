/** Reads a range of a blob into memory: all of it, or an error. */
import type { BlobClient } from '@azure/storage-blob'
import { lengthOf, type ByteRange } from '../domain/byte-range.ts'
import { BackupError } from '../domain/failures.ts'

/**
 * One request without access conditions, which exports of managed disks refuse. The SDK's own resumption is off: it
 * sends If-Match.
 * @throws the SDK's errors; BackupError AzureUnavailable where the answer ends early.
 */
export async function downloadRange(
  client: BlobClient,
  range: ByteRange,
  signal: AbortSignal,
  on: string,
): Promise<Buffer> {
  const lengthBytes = lengthOf(range)
  const answer = await client.download(range.startBytes, lengthBytes, { abortSignal: signal, maxRetryRequests: 0 })
  if (answer.contentLength !== undefined && answer.contentLength !== lengthBytes) {
    answer.readableStreamBody?.resume()
    throw short(on, range, answer.contentLength)
  }
  const data = Buffer.allocUnsafe(lengthBytes)
  let filledBytes = 0
  for await (const chunk of answer.readableStreamBody ?? []) {
    const bytes = chunk as Uint8Array
    if (filledBytes + bytes.length > lengthBytes) throw short(on, range, filledBytes + bytes.length)
    data.set(bytes, filledBytes)
    filledBytes += bytes.length
  }
  if (filledBytes !== lengthBytes) throw short(on, range, filledBytes)
  return data
}

function short(on: string, { startBytes, endBytes }: ByteRange, receivedBytes: number): BackupError {
  return new BackupError({
    type: 'AzureUnavailable',
    message: `read ${receivedBytes} bytes instead of [${startBytes}, ${endBytes}) of ${on}; it is tried again`,
    facts: { startBytes, endBytes, receivedBytes },
  })
}
