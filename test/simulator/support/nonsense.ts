import { connect } from 'node:tls'

/** Text that is hardly HTTP, over TLS. Resolves when the server has had enough, or nothing has come for a moment. */
export function sendNonsense(port: number, text: string, ca: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, ca, servername: 'localhost' }, () => {
      // A server may wait for more of what is no request; it must not matter that the client hangs up.
      socket.write(text, 'latin1', () => setTimeout(() => socket.destroy(), 20))
    })
    socket.on('error', () => {})
    socket.on('data', () => {})
    socket.on('close', () => resolve())
  })
}

export const NONSENSE = [
  '\r\n\r\n\r\n',
  'GET\r\n\r\n',
  'GET / HTTP/9.9\r\n\r\n',
  'GET / HTTP/1.1\r\n\r\n',
  'GET http://other.example/x HTTP/1.1\r\nHost: other.example\r\n\r\n',
  'CONNECT localhost:1 HTTP/1.1\r\nHost: localhost\r\n\r\n',
  'OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n',
  'PUT /backups/disks/base?comp=page HTTP/1.1\r\nHost: x\r\nContent-Length: 512\r\n\r\nshort',
  'PUT /backups/disks/base HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n',
  'PUT /backups/a/b HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nh\r\n0\r\n\r\n',
  'PUT /backups/disks/base HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n',
  'GET /\u0000 HTTP/1.1\r\nHost: x\r\n\r\n',
  'GET // HTTP/1.1\r\nHost: x\r\n\r\n',
  'GET /?%zz=%zz HTTP/1.1\r\nHost: x\r\n\r\n',
  `GET /${'a'.repeat(70_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
  `GET / HTTP/1.1\r\nHost: x\r\n${Array.from({ length: 3000 }, (_, index) => `h${index}: v\r\n`).join('')}\r\n`,
  'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n',
  'PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n',
  'PUT / HTTP/1.1\r\nHost: x\r\nExpect: a miracle\r\n\r\n',
]
