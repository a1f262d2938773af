/**
 * Turns what a schema found wrong into complaints that a person can act on: line, column, key, and for a key that is
 * not known the one that was probably meant.
 */
import { isAlias, isMap, isNode, isScalar, isSeq, type Document, type LineCounter } from 'yaml'
import type { z } from 'zod'
import { nearestOf } from './nearest.ts'

export interface Complaint {
  readonly line: number
  readonly column: number
  /** `policies.nightly.disks[0]`; empty for the file as a whole. */
  readonly key: string
  readonly message: string
}

type Path = readonly PropertyKey[]

/** All issues as complaints, in the order of the file. */
export function complaintsOf(
  issues: readonly z.core.$ZodIssue[],
  document: Document,
  lineCounter: LineCounter,
  jsonSchema: Record<string, unknown>,
): Complaint[] {
  const complaints = issues.flatMap((issue): Complaint[] => {
    const at = (path: Path, message: string): Complaint => ({
      ...positionOf(document, lineCounter, path, issue.code === 'unrecognized_keys' || issue.code === 'invalid_key'),
      key: keyText(path),
      message,
    })
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) =>
        at([...issue.path, key], unknownKeyMessage(key, knownKeysAt(jsonSchema, issue.path))),
      )
    }
    if (issue.code === 'invalid_key') return [at(issue.path, issue.issues.map((inner) => inner.message).join('; '))]
    return [at(issue.path, issue.message)]
  })
  return complaints.sort((a, b) => a.line - b.line || a.column - b.column)
}

function unknownKeyMessage(key: string, known: readonly string[]): string {
  const meant = nearestOf(key, known)
  return meant === undefined ? `unknown key; known here: ${known.join(', ')}` : `unknown key; did you mean "${meant}"?`
}

function keyText(path: Path): string {
  return path
    .map((segment, index) =>
      typeof segment === 'number' ? `[${segment}]` : `${index > 0 ? '.' : ''}${String(segment)}`,
    )
    .join('')
}

/** Walks the document as far as the path exists; what is missing is reported where its parent's key stands. */
function positionOf(
  document: Document,
  lineCounter: LineCounter,
  path: Path,
  wantsKey: boolean,
): { line: number; column: number } {
  let node: unknown = document.contents
  let offset = 0
  for (const [depth, segment] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document)
    const isLast = depth === path.length - 1
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(segment))
      if (pair === undefined) break
      const keyOffset = startOf(pair.key) ?? offset
      offset =
        isLast && !wantsKey && (isScalar(pair.value) || isAlias(pair.value))
          ? (startOf(pair.value) ?? keyOffset)
          : keyOffset
      node = pair.value
    } else if (isSeq(node) && typeof segment === 'number') {
      node = node.items[segment]
      offset = startOf(node) ?? offset
    } else {
      break
    }
  }
  const { line, col } = lineCounter.linePos(offset)
  return { line, column: col }
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined
}

function knownKeysAt(schema: Record<string, unknown>, path: Path): string[] {
  let at: unknown = schema
  for (const segment of path) {
    at =
      typeof segment === 'number'
        ? member(at, 'items')
        : (member(member(at, 'properties'), String(segment)) ?? member(at, 'additionalProperties'))
  }
  const properties = member(at, 'properties')
  return typeof properties === 'object' && properties !== null ? Object.keys(properties) : []
}

function member(of: unknown, key: string): unknown {
  return typeof of === 'object' && of !== null ? (of as Record<string, unknown>)[key] : undefined
}
