/**
 * Makes sure that a namespace knows the search attributes that runs write.
 *
 * A workflow that writes one which is not registered hangs in its task, so this comes before a worker polls and before
 * a Schedule is made. Registering again is harmless; a wrong type is found by reading back, as the server answers "ok".
 */
import type { OperatorService } from '@temporalio/client'
import { BackupError } from '../domain/failures.ts'
import { ALL_SEARCH_ATTRIBUTES } from '../workflows/search-attributes.ts'
import { isNotOffered } from './translate-error.ts'

/** `operatorService` of a `Connection` or a `NativeConnection`. */
export type SearchAttributeOperator = Pick<OperatorService, 'addSearchAttributes' | 'listSearchAttributes'>

/** `temporal.api.enums.v1.IndexedValueType`. */
const INDEXED_VALUE_TYPES = { TEXT: 1, KEYWORD: 2, INT: 3, DOUBLE: 4, BOOL: 5, DATETIME: 6, KEYWORD_LIST: 7 } as const

/**
 * Registers and compares; safe to run twice and by many workers at once.
 *
 * Where the server does not let us register (Temporal Cloud has its own ways) it compares only; where it does not let
 * us look either, it leaves the answer to the server.
 *
 * @throws BackupError InvalidConfig when an attribute is missing or has another type.
 */
export async function ensureSearchAttributes(operator: SearchAttributeOperator, namespace: string): Promise<void> {
  const wanted = Object.fromEntries(ALL_SEARCH_ATTRIBUTES.map(({ name, type }) => [name, INDEXED_VALUE_TYPES[type]]))
  try {
    await operator.addSearchAttributes({ namespace, searchAttributes: wanted })
  } catch (error) {
    if (!isNotOffered(error)) throw error
  }
  const found = await listAttributes(operator, namespace)
  if (found === undefined) return
  const faults = ALL_SEARCH_ATTRIBUTES.flatMap(({ name, type }) => {
    const foundType = found[name]
    if (foundType === undefined) return [`${name} is missing (type ${type})`]
    return foundType === INDEXED_VALUE_TYPES[type] ? [] : [`${name} has type ${typeName(foundType)} instead of ${type}`]
  })
  if (faults.length > 0) {
    throw new BackupError({
      type: 'InvalidConfig',
      message:
        `namespace ${namespace} does not fit the search attributes that runs write: ${faults.join(', ')}; ` +
        'register what is missing, and give what has another type another name',
      facts: { namespace, faults: faults.length },
    })
  }
}

async function listAttributes(
  operator: SearchAttributeOperator,
  namespace: string,
): Promise<Record<string, number> | undefined> {
  try {
    return (await operator.listSearchAttributes({ namespace })).customAttributes
  } catch (error) {
    if (isNotOffered(error)) return undefined
    throw error
  }
}

function typeName(value: number): string {
  return Object.entries(INDEXED_VALUE_TYPES).find(([, code]) => code === value)?.[0] ?? String(value)
}
