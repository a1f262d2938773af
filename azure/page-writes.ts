/**
 * The three requests that change pages: copy, write, clear. Used for base blobs, with an epoch, and for the upload blob
 * of a disk, which takes no conditions.
 *
 * Each is idempotent, so one that got no answer is repeated; throttling goes up at once, to the flow control of the
 * engine.
 */
import type { PageBlobClient, PageBlobRequestConditions } from '@azure/storage-blob'
import { lengthOf, type ByteRange } from '../domain/byte-range.ts'
import { BackupError, redact, type FailureType } from '../domain/failures.ts'
import { BLOB_WRITE } from './actions.ts'
import { BRIEF, callStorage, type StorageCall } from './call.ts'
import { copySourceFailure } from './copy-source-errors.ts'
import type { Word64 } from '../domain/crc64-algebra.ts'
import type { AzureClients } from './clients.ts'
import { crc64, decodeChecksum } from './crc64.ts'
import { translate } from './translate.ts'

/** A lease is somebody else's lock; every other unmet condition is another run's doing. */
export const FENCED: Readonly<Record<string, FailureType>> = {
  LeaseIdMissing: 'AzureRefused',
  LeaseIdMismatchWithBlobOperation: 'AzureRefused',
  LeaseLost: 'AzureRefused',
  '412': 'FencedOut',
}

/** A checksum that does not match was damaged on the way. */
const WRITE_ERRORS: Readonly<Record<string, FailureType>> = {
  ...FENCED,
  Crc64Mismatch: 'AzureUnavailable',
  Md5Mismatch: 'AzureUnavailable',
}

export interface WriteOptions {
  /** Only while the sequence number of the blob is this. */
  readonly epoch?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** What refusals mean, beyond those that all writes know. */
  readonly when?: Readonly<Record<string, FailureType>>
}

/** Sends one request to the blob that is written, with whatever its address needs. */
export type Reach = <T>(send: (client: PageBlobClient) => Promise<T>) => Promise<T>

export interface CopyOptions {
  /** Where the bytes lie in the source; default: where they go to. */
  readonly sourceOffsetBytes?: number | undefined
  /** A bearer token, without the word, for a source that is read by the identity alone. One with a SAS needs nothing here. */
  readonly sourceAuthorization?: string | undefined
  readonly signal?: AbortSignal | undefined
}

/** @returns the checksum of what was written, by the service's own word; undefined where it told none. */
export async function copyPages(
  azure: AzureClients,
  reach: Reach,
  on: string,
  sourceUrl: string,
  range: ByteRange,
  options: CopyOptions & WriteOptions,
): Promise<Word64 | undefined> {
  const { sourceAuthorization, sourceOffsetBytes = range.startBytes } = options
  const call = callOf(`copy ${lengthOf(range)} bytes at ${range.startBytes} to`, on, options)
  return callStorage(call, async (abortSignal) => {
    const send = async (token?: string) => {
      const answer = await reach((client) =>
        client.uploadPagesFromURL(sourceUrl, sourceOffsetBytes, range.startBytes, lengthOf(range), {
          abortSignal,
          conditions: conditionsOf(options),
          ...(token !== undefined && { sourceAuthorization: { scheme: 'Bearer', value: token } }),
        }),
      )
      return decodeChecksum(answer.xMsContentCrc64)
    }
    try {
      if (sourceAuthorization !== undefined) return await send(sourceAuthorization.replace(/^Bearer /i, ''))
      return await azure.diskData.use(
        sourceUrl,
        async (auth) => send(auth === 'sas' ? undefined : await azure.diskToken(abortSignal)),
        'source',
      )
    } catch (error) {
      throw sourceFailure(error, call, sourceUrl, sourceAuthorization !== undefined) ?? error
    }
  })
}

/**
 * `isChecked`: with a CRC64 that the service holds against what it received.
 * @returns that checksum.
 */
export async function writePages(
  reach: Reach,
  on: string,
  offsetBytes: number,
  data: Buffer,
  options: WriteOptions & { readonly isChecked: boolean },
): Promise<Word64 | undefined> {
  const call = callOf(`write ${data.length} bytes at ${offsetBytes} to`, on, options)
  const transactionalContentCrc64 = options.isChecked ? crc64(data) : undefined
  const checksum = transactionalContentCrc64 === undefined ? {} : { transactionalContentCrc64 }
  await callStorage(call, (abortSignal) =>
    reach((client) =>
      client.uploadPages(data, offsetBytes, data.length, {
        abortSignal,
        conditions: conditionsOf(options),
        ...checksum,
      }),
    ),
  )
  return decodeChecksum(transactionalContentCrc64)
}

export async function clearPages(
  reach: Reach,
  on: string,
  range: ByteRange,
  options: WriteOptions,
): Promise<void> {
  // Without a length the SDK would ask for everything behind the offset.
  if (lengthOf(range) <= 0) return
  const call = callOf(`clear ${lengthOf(range)} bytes at ${range.startBytes} of`, on, options)
  await callStorage(call, (abortSignal) =>
    reach((client) =>
      client.clearPages(range.startBytes, lengthOf(range), { abortSignal, conditions: conditionsOf(options) }),
    ),
  )
}

function callOf(doing: string, on: string, { epoch, signal, when }: WriteOptions): StorageCall {
  const facts = { blobName: on, epoch }
  return {
    doing,
    on,
    action: BLOB_WRITE,
    notFound: 'TargetNotFound',
    when: { ...WRITE_ERRORS, ...when },
    retry: BRIEF,
    signal,
    facts,
  }
}

function conditionsOf({ epoch }: WriteOptions): PageBlobRequestConditions {
  return epoch === undefined ? {} : { ifSequenceNumberEqualTo: epoch }
}

function sourceFailure(error: unknown, call: StorageCall, sourceUrl: string, isBearerSource: boolean): unknown {
  const type = copySourceFailure(error, isBearerSource)
  if (type === undefined) return undefined
  const failure = translate(error, { ...call, doing: `${call.doing} ${call.on} from`, on: redact(sourceUrl) })
  if (!(failure instanceof BackupError)) return undefined
  const { message, facts, retryAfterMs, cause } = failure
  return new BackupError({ type, message, facts, retryAfterMs, cause })
}
