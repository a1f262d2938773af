/** A way to the resource manager on which answers get lost: the work is done, the connection ends without a word. */
import { request as forward } from 'node:https'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { ensureAuthority } from '../../simulator/tls/authority-directory.ts'
import { issueServerCertificate } from '../../simulator/tls/certificates.ts'
import { listen } from '../../simulator/tls/listen.ts'
import { certificateAuthorityDirectory } from './environment.ts'

export interface LossyProxy {
  readonly url: string
  close(): Promise<void>
}

/** @param isLost is asked for each request when its answer is there: method and path without query. */
export async function startLossyProxy(target: string, isLost: (method: string, path: string) => boolean): Promise<LossyProxy> {
  const authority = await ensureAuthority(certificateAuthorityDirectory())
  const certificate = await issueServerCertificate(authority, { dns: ['localhost'], ip: ['127.0.0.1'] })
  const relay = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const body = await buffer(incoming)
    const { method = 'GET', url = '/', headers } = incoming
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      forward(`${target}${url}`, { method, headers: { ...headers, host: new URL(target).host } }, resolve).once('error', reject).end(body)
    })
    const answerBody = await buffer(answer)
    if (isLost(method, url.replace(/\?.*$/, ''))) outgoing.destroy()
    else outgoing.writeHead(answer.statusCode ?? 500, answer.headers).end(answerBody)
  }
  const listener = await listen((incoming, outgoing) => void relay(incoming, outgoing).catch(() => outgoing.destroy()), {
    host: '127.0.0.1',
    port: 0,
    certificate,
  })
  return { url: `https://localhost:${listener.port}`, close: () => listener.close() }
}
