import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { KeyedCertificate } from './certificates.ts'

/** Listening servers of the local Azure: plain or over TLS, on a given or a free port, and closed without waiting. */

export interface ListenOptions {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** Given: HTTPS with it. */
  readonly certificate?: KeyedCertificate
}

export interface Listener {
  readonly port: number
  /** Stops listening and cuts open connections. Twice is fine. */
  close(): Promise<void>
}

/** Longer than the idle time of the clients' pools, so that the server never closes a connection under a request. */
const KEEP_ALIVE_MS = 75_000

/**
 * Starts a server for `handler`.
 * @throws the system's error when the address is not free.
 */
export async function listen(handler: RequestListener, options: ListenOptions): Promise<Listener> {
  const server: Server =
    options.certificate === undefined
      ? createHttpServer(handler)
      : createHttpsServer({ cert: options.certificate.certificatePem, key: options.certificate.privateKeyPem }, handler)
  server.keepAliveTimeout = KEEP_ALIVE_MS
  server.headersTimeout = KEEP_ALIVE_MS + 1000
  server.requestTimeout = 0

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server listens on no TCP port')

  let closed: Promise<void> | undefined
  const close = (): Promise<void> => {
    closed ??= new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
    return closed
  }
  return { port: address.port, close }
}
