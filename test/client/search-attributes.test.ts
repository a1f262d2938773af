import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { Connection } from '@temporalio/client'
import { ensureSearchAttributes, type SearchAttributeOperator } from '../../temporal/ensure-search-attributes.ts'
import { ALL_SEARCH_ATTRIBUTES } from '../../workflows/search-attributes.ts'
import { temporalAddress } from '../support/environment.ts'

const KEYWORD = 2
const INT = 3

let connection: Connection

beforeAll(async () => {
  connection = await Connection.connect({ address: temporalAddress() })
})

afterAll(() => connection.close())

/** A server that knows these attributes and answers "ok" to whatever is added, as the real one does. */
function aServer(known: Record<string, number>): SearchAttributeOperator {
  const answer = { customAttributes: known, systemAttributes: {}, storageSchema: {} }
  return {
    addSearchAttributes: () => Promise.resolve({}),
    listSearchAttributes: () => Promise.resolve(answer),
  } as unknown as SearchAttributeOperator
}

const allKeywords = Object.fromEntries(ALL_SEARCH_ATTRIBUTES.map(({ name }) => [name, KEYWORD]))

test('registering twice does no harm', async () => {
  await ensureSearchAttributes(connection.operatorService, 'default')
  await ensureSearchAttributes(connection.operatorService, 'default')
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace: 'default' })
  expect(customAttributes).toMatchObject(allKeywords)
})

test('an attribute of another type is found although the server accepts it', async () => {
  const server = aServer({ ...allKeywords, BackupPhase: INT })
  await expect(ensureSearchAttributes(server, 'default')).rejects.toMatchObject({
    type: 'InvalidConfig',
    message: expect.stringContaining('BackupPhase has type INT instead of KEYWORD'),
  })
})

test('a missing attribute is named where registering is not offered', async () => {
  const denied = Object.assign(new Error('denied'), { code: 7, details: 'denied', metadata: {} })
  const server = {
    ...aServer({}),
    addSearchAttributes: () => Promise.reject(denied),
  } as unknown as SearchAttributeOperator
  await expect(ensureSearchAttributes(server, 'default')).rejects.toThrow('BackupDisk is missing (type KEYWORD)')
})
