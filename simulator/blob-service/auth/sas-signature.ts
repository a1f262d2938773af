import type { BlobRequest } from '../blob-request.ts'
import type { Account } from '../model/account.ts'
import { signAgainWithKey, signWithKey } from './shared-key.ts'
import { userDelegationKeyValue } from './user-delegation-key.ts'

/**
 * The signature that a SAS must carry, for the three kinds of it and for the versions that changed what is signed.
 *
 * Source: learn.microsoft.com/rest/api/storageservices/create-account-sas, create-service-sas and
 * create-user-delegation-sas.
 */

export function expectedSasSignature(request: BlobRequest, account: Account): string {
  const { query } = request
  if (query.has('srt')) return signAgainWithKey(account.key, accountStringToSign(query, account.name))
  if (query.has('skoid')) {
    const key = userDelegationKeyValue(account.key, {
      objectId: value(query, 'skoid'),
      tenantId: value(query, 'sktid'),
      start: value(query, 'skt'),
      expiry: value(query, 'ske'),
      service: value(query, 'sks'),
      version: value(query, 'skv'),
    })
    return signWithKey(key, userDelegationStringToSign(request, account.name))
  }
  return signAgainWithKey(account.key, serviceStringToSign(request, account.name))
}

function accountStringToSign(query: URLSearchParams, accountName: string): string {
  const fields = [accountName, ...values(query, ['sp', 'ss', 'srt', 'st', 'se', 'sip', 'spr', 'sv'])]
  if (value(query, 'sv') >= '2020-12-06') fields.push(value(query, 'ses'))
  return [...fields, ''].join('\n')
}

function serviceStringToSign(request: BlobRequest, accountName: string): string {
  const { query } = request
  const version = value(query, 'sv')
  const fields = [
    ...values(query, ['sp', 'st', 'se']),
    canonicalName(request, accountName),
    ...values(query, ['si', 'sip', 'spr', 'sv']),
  ]
  if (version >= '2018-11-09') fields.push(value(query, 'sr'), signedTime(query))
  if (version >= '2020-12-06') fields.push(value(query, 'ses'))
  return [...fields, ...responseHeaders(query)].join('\n')
}

function userDelegationStringToSign(request: BlobRequest, accountName: string): string {
  const { query } = request
  const version = value(query, 'sv')
  const fields = [
    ...values(query, ['sp', 'st', 'se']),
    canonicalName(request, accountName),
    ...values(query, ['skoid', 'sktid', 'skt', 'ske', 'sks', 'skv']),
  ]
  if (version >= '2020-02-10') fields.push(...values(query, ['saoid', 'suoid', 'scid']))
  if (version >= '2025-07-05') fields.push(...values(query, ['skdutid', 'sduoid']))
  fields.push(...values(query, ['sip', 'spr', 'sv', 'sr']), signedTime(query))
  if (version >= '2020-12-06') fields.push(value(query, 'ses'))
  if (version >= '2026-04-06') fields.push(signedRequestHeaders(request), signedRequestQuery(query))
  return [...fields, ...responseHeaders(query)].join('\n')
}

/** `/blob/account/container[/blob]`; a container SAS signs the container whatever blob is asked for. */
function canonicalName(request: BlobRequest, accountName: string): string {
  const container = `/blob/${accountName}/${request.containerName}`
  return request.query.get('sr') === 'c' ? container : `${container}/${request.blobName}`
}

function signedTime(query: URLSearchParams): string {
  if (query.get('sr') === 'bs') return value(query, 'snapshot')
  return query.get('sr') === 'bv' ? value(query, 'versionid') : ''
}

function signedRequestHeaders(request: BlobRequest): string {
  return names(request.query, 'srh')
    .map((name) => `${name}:${request.header(name.toLowerCase()) ?? ''}\n`)
    .join('')
}

function signedRequestQuery(query: URLSearchParams): string {
  return names(query, 'srq')
    .map((name) => `\n${name}:${value(query, name)}`)
    .join('')
}

function responseHeaders(query: URLSearchParams): string[] {
  return values(query, ['rscc', 'rscd', 'rsce', 'rscl', 'rsct'])
}

function names(query: URLSearchParams, key: string): string[] {
  return value(query, key)
    .split(',')
    .filter((name) => name !== '')
}

function values(query: URLSearchParams, keys: readonly string[]): string[] {
  return keys.map((key) => value(query, key))
}

function value(query: URLSearchParams, key: string): string {
  return query.get(key) ?? ''
}
