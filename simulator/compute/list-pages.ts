import type { ArmCall, ArmReply } from './arm-call.ts'
import { param } from './arm-call.ts'
import { invalidParameter } from './arm-error.ts'
import type { ResourceId } from './resource-id.ts'
import type { ResourceTable } from './resource-table.ts'

/** Lists with `nextLink`. The page size is a setting, so that paging is met with few resources. */

export interface ListOptions<T> {
  readonly pageSize: number
  /** Scheme, host and port of the resource manager. */
  readonly baseUrl: string
  readonly document: (item: T) => unknown
}

/** The page that the call asks for: of its subscription, or of its resource group when the route has one. */
export function listPage<T extends { readonly id: ResourceId }>(
  call: ArmCall,
  table: ResourceTable<T>,
  options: ListOptions<T>,
): ArmReply {
  const resourceGroup = call.params['resourceGroup']
  const scope = {
    subscriptionId: param(call, 'subscriptionId'),
    ...(resourceGroup === undefined ? {} : { resourceGroup }),
  }
  const { items, next } = table.page(scope, options.pageSize, decodeToken(call.query.get('$skiptoken')))
  const value = items.map(options.document)
  if (next === undefined) return { status: 200, body: { value } }
  const query = new URLSearchParams({ 'api-version': call.apiVersion, $skiptoken: encodeToken(next) })
  return { status: 200, body: { value, nextLink: `${options.baseUrl}${call.path}?${query.toString()}` } }
}

function encodeToken(key: string): string {
  return Buffer.from(key).toString('base64url')
}

function decodeToken(token: string | null): string | undefined {
  if (token === null) return undefined
  const key = Buffer.from(token, 'base64url').toString('utf8')
  if (encodeToken(key) !== token) throw invalidParameter('$skiptoken')
  return key
}
