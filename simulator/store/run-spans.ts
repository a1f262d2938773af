import type { DiffSpan, PageSpan } from './volume.ts'
import type { RunSource } from './run-map.ts'

/**
 * What the page-blob REST API wants to know of run maps: which spans are allocated, and which differ between two
 * points in time. Both are lazy and cost O(log n) to begin at any offset. Neither reads a byte of data.
 */

/** Allocated spans inside [fromBytes, toBytes), ascending, adjacent ones merged. */
export function* allocatedSpans(runs: RunSource, fromBytes: number, toBytes: number): Generator<PageSpan> {
  const cursor = runs.cursorAt(fromBytes)
  let pendingStart = -1
  let pendingEnd = -1
  while (!cursor.isDone && cursor.startBytes < toBytes) {
    const start = Math.max(cursor.startBytes, fromBytes)
    const end = Math.min(cursor.endBytes, toBytes)
    if (start !== pendingEnd) {
      if (pendingEnd >= 0) yield { startBytes: pendingStart, endBytes: pendingEnd - 1 }
      pendingStart = start
    }
    pendingEnd = end
    cursor.next()
  }
  if (pendingEnd >= 0) yield { startBytes: pendingStart, endBytes: pendingEnd - 1 }
}

/**
 * Spans inside [fromBytes, toBytes) that were written or cleared from `older` to `newer`; adjacent equal kinds merged.
 */
export function* changedSpans(
  newer: RunSource,
  older: RunSource,
  fromBytes: number,
  toBytes: number,
): Generator<DiffSpan> {
  let pending: DiffSpan | undefined
  for (const span of changedPieces(newer, older, fromBytes, toBytes)) {
    if (pending !== undefined && pending.endBytes + 1 === span.startBytes && pending.isClear === span.isClear) {
      pending = { ...pending, endBytes: span.endBytes }
      continue
    }
    if (pending !== undefined) yield pending
    pending = span
  }
  if (pending !== undefined) yield pending
}

function* changedPieces(newer: RunSource, older: RunSource, fromBytes: number, toBytes: number): Generator<DiffSpan> {
  const now = newer.cursorAt(fromBytes)
  const then = older.cursorAt(fromBytes)
  let position = fromBytes
  for (;;) {
    if (now.sharesLeafWith(then)) {
      if (now.startBytes >= toBytes) return
      now.skipLeaf()
      then.skipLeaf()
      continue
    }
    const nowStart = now.isDone ? Infinity : Math.max(now.startBytes, position)
    const thenStart = then.isDone ? Infinity : Math.max(then.startBytes, position)
    const start = Math.min(nowStart, thenStart)
    if (start >= toBytes) return
    // The piece ends where either side changes from run to hole or to another run.
    const nowEdge = nowStart === start ? now.endBytes : nowStart
    const thenEdge = thenStart === start ? then.endBytes : thenStart
    const end = Math.min(nowEdge, thenEdge, toBytes)
    if (nowStart !== start) yield { startBytes: start, endBytes: end - 1, isClear: true }
    else if (thenStart !== start || now.location - now.startBytes !== then.location - then.startBytes) {
      yield { startBytes: start, endBytes: end - 1, isClear: false }
    }
    position = end
    if (!now.isDone && now.endBytes <= position) now.next()
    if (!then.isDone && then.endBytes <= position) then.next()
  }
}
