/**
 * The part of the virtual machine and of the administrator: makes a disk and a container, writes to the disk and reads
 * what is on one, through the control API of the local Azure. What is a backup's or a restore's work is not done here.
 */
import { request } from 'undici'
import { z } from 'zod'
import type { AzureEndpoints } from './stage.ts'

/** How much is read at once; the control API would give more. */
export const CHUNK_BYTES = 4 * 1024 * 1024
const STORAGE_API_VERSION = '2021-12-02'

export interface LocalAzure {
  /** @returns its ARM id */
  createDisk(spec: { name: string; sizeGib: number; location: string }): Promise<string>
  write(diskId: string, offsetBytes: number, data: Buffer): Promise<void>
  /** TRIM: the range becomes a hole. */
  clear(diskId: string, offsetBytes: number, lengthBytes: number): Promise<void>
  read(diskId: string, offsetBytes: number, lengthBytes: number): Promise<Buffer>
  /** Makes a container in a storage account, as `az storage container create` does. */
  createContainer(containerUrl: string): Promise<void>
}

type Call = { method: 'GET' | 'PUT' | 'POST' | 'DELETE'; body?: Buffer | string; headers?: Record<string, string> }

export function connectLocalAzure({ controlEndpoint, identityEndpoint, identityHeader }: AzureEndpoints): LocalAzure {
  const contentUrl = (diskId: string, offsetBytes: number, lengthBytes?: number): string => {
    const query = new URLSearchParams({ id: diskId, offset: String(offsetBytes) })
    if (lengthBytes !== undefined) query.set('length', String(lengthBytes))
    return `${controlEndpoint}/content?${query.toString()}`
  }
  return {
    async createDisk(spec) {
      const headers = { 'content-type': 'application/json' }
      const answer = await call(`${controlEndpoint}/disks`, { method: 'POST', body: JSON.stringify(spec), headers })
      return z.object({ id: z.string() }).parse(JSON.parse(answer.toString())).id
    },
    async write(diskId, offsetBytes, data) {
      await call(contentUrl(diskId, offsetBytes), { method: 'PUT', body: data })
    },
    async clear(diskId, offsetBytes, lengthBytes) {
      await call(contentUrl(diskId, offsetBytes, lengthBytes), { method: 'DELETE' })
    },
    read: (diskId, offsetBytes, lengthBytes) => call(contentUrl(diskId, offsetBytes, lengthBytes), { method: 'GET' }),
    async createContainer(containerUrl) {
      const query = new URLSearchParams({ resource: 'https://storage.azure.com/', 'api-version': '2019-08-01' })
      const headers = { 'x-identity-header': identityHeader }
      const answer = await call(`${identityEndpoint}?${query.toString()}`, { method: 'GET', headers })
      const { access_token: token } = z.object({ access_token: z.string() }).parse(JSON.parse(answer.toString()))
      await call(`${containerUrl}?restype=container`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${token}`, 'x-ms-version': STORAGE_API_VERSION },
      })
    },
  }
}

async function call(url: string, { method, body, headers }: Call): Promise<Buffer> {
  const response = await request(url, { method, ...(body !== undefined && { body }), ...(headers !== undefined && { headers }) })
  const answer = Buffer.from(await response.body.arrayBuffer())
  if (response.statusCode < 300) return answer
  throw new Error(`${method} ${url.split('?')[0]} was answered with ${response.statusCode}: ${answer.toString().slice(0, 300)}`)
}
