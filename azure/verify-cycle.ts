/** How far the verification that is spread over days has come in a chain: one small block blob. */
import { z } from 'zod'
import { BLOB_READ, BLOB_WRITE } from './actions.ts'
import { orUndefined } from './arm-call.ts'
import { callStorage, PATIENT } from './call.ts'
import type { AzureClients } from './clients.ts'

const FORMAT = 1
const verifyCycle = z.object({ format: z.literal(FORMAT), lastDay: z.number().int() })

/** @returns the day up to which slices were verified; undefined: none was, or the record cannot be read. */
export async function readVerifiedDay(azure: AzureClients, targetUrl: string, chain: string, signal?: AbortSignal): Promise<number | undefined> {
  const call = { doing: 'read', on: `verification record ${nameOf(chain)}`, action: BLOB_READ, retry: PATIENT, signal, notFound: 'PointNotFound' } as const
  const text = await orUndefined('PointNotFound', () =>
    callStorage(call, async (abortSignal) => (await clientOf(azure, targetUrl, chain).downloadToBuffer(0, undefined, { abortSignal })).toString('utf8')),
  )
  try {
    return text === undefined ? undefined : verifyCycle.parse(JSON.parse(text)).lastDay
  } catch {
    return undefined
  }
}

/** Writing the same again is fine. */
export async function writeVerifiedDay(azure: AzureClients, targetUrl: string, chain: string, lastDay: number, signal?: AbortSignal): Promise<void> {
  const text = `${JSON.stringify({ format: FORMAT, lastDay })}\n`
  const call = { doing: 'write', on: `verification record ${nameOf(chain)}`, action: BLOB_WRITE, retry: PATIENT, signal, notFound: 'TargetNotFound' } as const
  await callStorage(call, (abortSignal) =>
    clientOf(azure, targetUrl, chain).upload(text, Buffer.byteLength(text), { abortSignal, blobHTTPHeaders: { blobContentType: 'application/json' } }),
  )
}

function clientOf(azure: AzureClients, targetUrl: string, chain: string) {
  return azure.container(targetUrl).getBlockBlobClient(nameOf(chain))
}

function nameOf(chain: string): string {
  return `${chain}verified.json`
}
