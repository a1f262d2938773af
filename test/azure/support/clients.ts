/** The product's clients, pointed at a server of a test. */
import { isFailure, type BackupError } from '../../../domain/failures.ts'
import { createAzureClients, type AzureClients } from '../../../azure/clients.ts'
import { PUBLIC_CLOUD } from '../../../azure/settings.ts'

/** With a credential that every scripted server accepts. */
export function clientsFor(resourceManagerEndpoint: string = PUBLIC_CLOUD.resourceManagerEndpoint): AzureClients {
  return createAzureClients(
    { ...PUBLIC_CLOUD, resourceManagerEndpoint },
    { getToken: async () => ({ token: 'a-token', expiresOnTimestamp: Date.now() + 3_600_000 }) },
  )
}

/** The BackupError that a call ends with. */
export async function failureOf(call: Promise<unknown>): Promise<BackupError> {
  try {
    await call
  } catch (error) {
    if (isFailure(error)) return error
    throw error
  }
  throw new Error('the call did not fail')
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}
