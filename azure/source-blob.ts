/** Reads the export of a source snapshot by its SAS. No access conditions: exports of managed disks refuse them. */
import { redact, type FailureType } from '../domain/failures.ts'
import type { ByteRange } from '../domain/byte-range.ts'
import { callStorage, PATIENT } from './call.ts'
import { abortable } from './arm-call.ts'
import type { AzureClients } from './clients.ts'
import { downloadRange } from './download.ts'

/**
 * Whether the SAS has died or its resource is gone is not known from here: getting a new one tells, so either way the
 * access counts as lost.
 */
export const LOST_ACCESS: Readonly<Record<string, FailureType>> = {
  '401': 'ExportAccessLost',
  '403': 'ExportAccessLost',
  '404': 'ExportAccessLost',
}

/** @throws BackupError ExportAccessLost where the SAS is refused. */
export async function readSource(
  azure: AzureClients,
  sasUrl: string,
  range: ByteRange,
  signal?: AbortSignal,
): Promise<Buffer> {
  const call = {
    doing: `read [${range.startBytes}, ${range.endBytes}) of`,
    on: redact(sasUrl),
    when: LOST_ACCESS,
    retry: PATIENT,
    signal,
  }
  return callStorage(call, (attempt) =>
    azure.diskData.use(sasUrl, (auth) => downloadRange(azure.sasBlob(sasUrl, auth), range, attempt, call.on)),
  )
}

/** Bytes of the export, its VHD footer included. @throws BackupError ExportAccessLost where the SAS is refused. */
export async function sizeOfSource(azure: AzureClients, sasUrl: string, signal?: AbortSignal): Promise<number> {
  const call = { doing: 'read the size of', on: redact(sasUrl), when: LOST_ACCESS, retry: PATIENT, signal }
  const { contentLength } = await callStorage(call, (attempt) =>
    azure.diskData.use(sasUrl, (auth) => azure.sasBlob(sasUrl, auth).getProperties(abortable(attempt))),
  )
  return contentLength ?? 0
}
