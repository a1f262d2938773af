import { mkdtemp, rm } from 'node:fs/promises'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { X509Certificate } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { ensureAuthority } from '../../simulator/tls/authority-directory.ts'
import { issueServerCertificate } from '../../simulator/tls/certificates.ts'
import { listen } from '../../simulator/tls/listen.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'authority-'))
})
afterAll(() => rm(directory, { recursive: true }))

describe('certificate authority', () => {
  test('is made once and then the same', async () => {
    const made = await ensureAuthority(join(directory, 'one'))
    expect(await ensureAuthority(join(directory, 'one'))).toEqual(made)
    expect((await ensureAuthority(join(directory, 'two'))).certificatePem).not.toBe(made.certificatePem)
  })

  test('signs certificates for names and addresses that Node accepts over TLS', async () => {
    const authority = await ensureAuthority(join(directory, 'one'))
    const names = { dns: ['localhost', 'azure.test'], ip: ['127.0.0.1', '::1'] }
    const certificate = await issueServerCertificate(authority, names)
    const leaf = new X509Certificate(certificate.certificatePem)
    expect(leaf.checkIssued(new X509Certificate(authority.certificatePem))).toBe(true)
    for (const name of ['localhost', 'azure.test']) expect(leaf.checkHost(name)).toBe(name)
    for (const address of ['127.0.0.1', '::1']) expect(leaf.checkIP(address)).toBe(address)
    expect(leaf.checkHost('elsewhere.test')).toBeUndefined()

    const listener = await listen((_request, response) => void response.end('hello'), {
      host: '127.0.0.1',
      port: 0,
      certificate,
    })
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const options = { host: '127.0.0.1', port: listener.port, ca: authority.certificatePem }
      request(options, (response) => resolve(response.resume().statusCode)).on('error', reject).end()
    })
    expect(status).toBe(200)
    await listener.close()
  })

  test('of another directory is not trusted', async () => {
    const ours = await ensureAuthority(join(directory, 'one'))
    const others = await ensureAuthority(join(directory, 'two'))
    const certificate = await issueServerCertificate(ours, { dns: ['localhost'], ip: ['127.0.0.1'] })
    const address = { host: '127.0.0.1', port: 0 }
    const listener = await listen((_request, response) => void response.end(), { ...address, certificate })
    const refused = new Promise((resolve, reject) => {
      const options = { ...address, port: listener.port, ca: others.certificatePem }
      request(options, resolve).on('error', reject).end()
    })
    await expect(refused).rejects.toThrow(/verify|signature|issuer/)
    await listener.close()
  })
})
