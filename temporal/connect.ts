/** Opens the connection that the command line talks to Temporal over. Workers have Temporal's native one. */
import { Client, Connection, type ConnectionOptions } from '@temporalio/client'
import type { TemporalSettings } from '../config/settings.ts'
import { translateTemporalError, unreachable } from './translate-error.ts'

const CONNECT_TIMEOUT_MS = 5_000

export interface TemporalLink {
  readonly client: Client
  readonly connection: Connection
  readonly address: string
  readonly namespace: string
  close(): Promise<void>
}

/**
 * Connects, or gives up after five seconds.
 *
 * @throws BackupError TemporalUnreachable | NotSignedIn | AccessDenied
 */
export async function connectTemporal({
  connectionOptions,
  address,
  namespace,
}: TemporalSettings): Promise<TemporalLink> {
  const connection = Connection.lazy({ ...toClientOptions(connectionOptions), connectTimeout: CONNECT_TIMEOUT_MS })
  try {
    await connection.ensureConnected()
  } catch (error) {
    await connection.close()
    throw translateTemporalError(error, { address, namespace }) ?? unreachable(address, error)
  }
  const client = new Client({ connection, namespace })
  return { client, connection, address, namespace, close: () => connection.close() }
}

/** What the environment configures exists for both kinds of connection; absent keys must be absent, not undefined. */
function toClientOptions({ address, tls, apiKey, metadata }: TemporalSettings['connectionOptions']): ConnectionOptions {
  return {
    ...(address !== undefined && { address }),
    ...(tls !== undefined && { tls }),
    ...(apiKey !== undefined && { apiKey }),
    ...(metadata !== undefined && { metadata }),
  }
}
