/**
 * Which gaps between changes are copied along, so that two requests become one.
 *
 * Only gaps that the source holds: a page that the source has not must not appear in the base blob. What is filled
 * depends on nothing outside its GiB of address space, so any window that begins at a GiB finds the same gaps again:
 * that is how a verification knows what was planned. Which gaps are worth it is decided in `gap-rule.ts`.
 */
import { throughBatches, type BatchStream } from './batches.ts'
import { GIB, lengthOf, type ByteRange } from './byte-range.ts'
import { isWorthFilling, type GapRule } from './gap-rule.ts'
import { sweep, type RangeStream } from './sweep.ts'
import { endOfRequestAt, type Change } from './transfer-plan.ts'

export interface FilledChange extends Change {
  /** Not changed: copied because that is cheaper than another request. */
  readonly isFill: boolean
}

/**
 * The changes, and between two copies the gap, where the rule finds it worth it, it is wholly `held`, and the second copy
 * at least begins within the request of the first. That makes as few requests as such gaps allow.
 *
 * @param changes sorted and disjoint.
 * @param held what the source holds, changed or not, over the same window.
 */
export function fillGaps(changes: RangeStream<Change>, held: RangeStream, rule: GapRule): BatchStream<FilledChange> {
  /** What is held behind the last copy, without a hole. */
  let gap: ByteRange | undefined
  /** Where a request that goes on from the last copy ends at the latest. */
  let requestEndBytes = 0
  return throughBatches(sweep({ change: changes, held }), ({ startBytes, endBytes, at }, emit: (change: FilledChange) => void) => {
    const reaching = gap?.endBytes === startBytes ? gap : undefined
    if (at.change?.kind === 'copy') {
      const isJoined = reaching !== undefined && startBytes < requestEndBytes && isWorthFilling(reaching, rule)
      if (isJoined && lengthOf(reaching) > 0) emit({ kind: 'copy', ...reaching, isFill: true })
      if (!isJoined) requestEndBytes = endOfRequestAt(startBytes)
      while (requestEndBytes < endBytes) requestEndBytes = endOfRequestAt(requestEndBytes)
      gap = { startBytes: endBytes, endBytes }
    } else {
      const fromBytes = reaching?.startBytes ?? startBytes
      const isFillable = at.change === undefined && reaching !== undefined && endBytes - fromBytes <= rule.maxBytes
      gap = isFillable ? { startBytes: fromBytes, endBytes } : undefined
    }
    if (at.change !== undefined) emit({ kind: at.change.kind, startBytes, endBytes, isFill: false })
  })
}

/** The window from its GiB on: over it `fillGaps` finds what it finds over the whole blob. */
export function fromWholeGib({ startBytes, endBytes }: ByteRange): ByteRange {
  return { startBytes: Math.floor(startBytes / GIB) * GIB, endBytes }
}
