import { httpTime } from '../http-time.ts'
import { LIST_CONTAINERS, type Operation, type OperationContext } from '../operation.ts'
import { LOCAL_TENANT_ID, MAX_USER_DELEGATION_KEY_MS, userDelegationKeyValue } from '../auth/user-delegation-key.ts'
import { xmlReply, type Reply } from '../reply.ts'
import { StorageError } from '../storage-error.ts'
import { parseXmlChildren, xmlElement, xmlText } from '../xml.ts'
import { listPage, metadataXml, readListQuery } from './listing.ts'

/** Operations on the account: its kind, its service properties (fixed), its containers, user delegation keys. */

const ACCOUNT_ACTION = 'Microsoft.Storage/storageAccounts/blobServices'

/** Any permission is enough to learn the kind of an account. */
const ACCOUNT_INFORMATION = {
  name: 'GetAccountInformation',
  levels: ['account', 'container', 'blob'],
  restype: 'account',
  comp: 'properties',
  access: { sas: 'rwdlacup', action: `${ACCOUNT_ACTION}/getInfo/action` },
  run: getAccountInformation,
} as const

export const accountOperations: readonly Operation[] = [
  { ...ACCOUNT_INFORMATION, method: 'GET' },
  { ...ACCOUNT_INFORMATION, method: 'HEAD' },
  {
    name: 'GetBlobServiceProperties',
    method: 'GET',
    levels: ['account'],
    restype: 'service',
    comp: 'properties',
    access: { sas: 'r', action: `${ACCOUNT_ACTION}/read` },
    run: getServiceProperties,
  },
  {
    name: 'GetUserDelegationKey',
    method: 'POST',
    levels: ['account'],
    restype: 'service',
    comp: 'userdelegationkey',
    access: { sas: '', action: `${ACCOUNT_ACTION}/generateUserDelegationKey/action` },
    run: getUserDelegationKey,
  },
  {
    name: 'ListContainers',
    method: 'GET',
    levels: ['account'],
    comp: 'list',
    access: LIST_CONTAINERS,
    run: listContainers,
  },
]

function getAccountInformation({ account }: OperationContext): Reply {
  return {
    status: 200,
    headers: {
      'x-ms-sku-name': account.sku,
      'x-ms-account-kind': account.kind,
      'x-ms-is-hns-enabled': String(account.isHnsEnabled),
    },
  }
}

function getServiceProperties(): Reply {
  const off = xmlText('Enabled', false)
  const retention = xmlElement('RetentionPolicy', off)
  const metrics = xmlText('Version', '1.0') + off + retention
  const logging =
    xmlText('Version', '1.0') + xmlText('Delete', false) + xmlText('Read', false) + xmlText('Write', false) + retention
  return xmlReply(
    xmlElement(
      'StorageServiceProperties',
      xmlElement('Logging', logging) +
        xmlElement('HourMetrics', metrics) +
        xmlElement('MinuteMetrics', metrics) +
        xmlElement('Cors', '') +
        xmlElement('DeleteRetentionPolicy', off) +
        xmlElement('StaticWebsite', off),
    ),
  )
}

function listContainers(context: OperationContext): Reply {
  const { account, service } = context
  const query = readListQuery(context)
  const sorted = [...account.containers.values()]
    .filter((container) => container.name.startsWith(query.prefix))
    .sort((one, other) => (one.name < other.name ? -1 : 1))
    .map((container) => ({ key: container.name, container }))
  const { items, nextMarker } = listPage(sorted, query)
  const containers = items.map(({ container }) =>
    xmlElement(
      'Container',
      xmlText('Name', container.name) +
        xmlElement(
          'Properties',
          xmlText('Last-Modified', httpTime(container.lastModified)) +
            xmlText('Etag', container.etag) +
            xmlText('LeaseStatus', 'unlocked') +
            xmlText('LeaseState', 'available') +
            xmlText('HasImmutabilityPolicy', false) +
            xmlText('HasLegalHold', false),
        ) +
        (query.include.has('metadata') ? metadataXml(container.metadata) : ''),
    ),
  )
  const body =
    xmlText('Prefix', query.prefix) +
    xmlText('Marker', query.marker) +
    xmlText('MaxResults', query.maxResults) +
    xmlElement('Containers', containers.join('')) +
    xmlText('NextMarker', nextMarker ?? '')
  return xmlReply(xmlElement('EnumerationResults', body, { ServiceEndpoint: `${service.baseUrl()}/${account.name}/` }))
}

async function getUserDelegationKey(context: OperationContext): Promise<Reply> {
  const { request, account, caller, service } = context
  if (caller.kind !== 'bearer')
    throw new StorageError('AuthenticationFailed', { reason: 'Only a bearer token gives a key.' })
  const body = await request.body(MAX_KEY_INFO_BYTES)
  const info = new Map(parseXmlChildren(body.toString('utf8'), 'KeyInfo').map(({ name, text }) => [name, text]))
  const expiryMs = Date.parse(info.get('Expiry') ?? '')
  const startMs = Date.parse(info.get('Start') ?? service.clock.now().toISOString())
  if (
    Number.isNaN(expiryMs) ||
    Number.isNaN(startMs) ||
    expiryMs <= startMs ||
    expiryMs - startMs > MAX_USER_DELEGATION_KEY_MS
  ) {
    throw new StorageError('InvalidInput', { reason: 'a key lasts at most seven days' })
  }
  const fields = {
    objectId: caller.principalId,
    tenantId: LOCAL_TENANT_ID,
    start: secondsIso(startMs),
    expiry: secondsIso(expiryMs),
    service: 'b',
    version: request.version,
  }
  return xmlReply(
    xmlElement(
      'UserDelegationKey',
      xmlText('SignedOid', fields.objectId) +
        xmlText('SignedTid', fields.tenantId) +
        xmlText('SignedStart', fields.start) +
        xmlText('SignedExpiry', fields.expiry) +
        xmlText('SignedService', fields.service) +
        xmlText('SignedVersion', fields.version) +
        xmlText('Value', userDelegationKeyValue(account.key, fields).toString('base64')),
    ),
  )
}

const MAX_KEY_INFO_BYTES = 64 * 1024

function secondsIso(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 19)}Z`
}
