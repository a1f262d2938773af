/** Long-running operations of the resource manager, polled as the REST reference says and no SDK hides. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { TokenCredential } from '@azure/identity'
import { callArm, jsonOf, type Answer } from './rest.ts'

const TIMEOUT_MS = 10 * 60_000
const DEFAULT_INTERVAL_MS = 1000

/** The document at `Azure-AsyncOperation`. */
export interface OperationStatus {
  readonly status: string
  readonly name?: string
  readonly properties?: { readonly output?: Readonly<Record<string, unknown>> }
  readonly error?: { readonly code: string; readonly message: string }
}

/** Polls `Azure-AsyncOperation` of an accepted request until the operation has ended. */
export async function operationEnd(credential: TokenCredential, accepted: Answer): Promise<OperationStatus> {
  const url = accepted.headers['azure-asyncoperation']
  if (url === undefined) throw new Error(`${accepted.status} without Azure-AsyncOperation: ${accepted.body.toString('utf8')}`)
  const deadline = Date.now() + TIMEOUT_MS
  for (;;) {
    const answer = await callArm(credential, 'GET', url)
    const status = jsonOf(answer) as OperationStatus
    if (['Succeeded', 'Failed', 'Canceled'].includes(status.status)) return status
    if (Date.now() > deadline) throw new Error(`the operation did not end: ${answer.body.toString('utf8')}`)
    await sleep(Number(answer.headers['retry-after'] ?? DEFAULT_INTERVAL_MS / 1000) * 1000)
  }
}

/** Waits for a request's effect, whether it was accepted or done at once. @throws when it was refused or failed. */
export async function settle(credential: TokenCredential, answer: Answer): Promise<OperationStatus | undefined> {
  if (answer.status >= 400) throw new Error(`${answer.status} ${answer.body.toString('utf8')}`)
  if (answer.headers['azure-asyncoperation'] === undefined) return undefined
  const end = await operationEnd(credential, answer)
  if (end.status !== 'Succeeded') throw new Error(`${end.status}: ${end.error?.code} ${end.error?.message}`)
  return end
}
