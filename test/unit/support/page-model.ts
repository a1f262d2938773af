/**
 * A disk as an array of pages, to apply planned requests to, and the fewest requests that could do the same.
 *
 * Runs are of up to some MiB, so that requests are cut at 4 MiB as well as merged.
 */
import { MAX_WRITE_BYTES, PAGE_BYTES, type ByteRange } from '../../../domain/byte-range.ts'
import type { GapRule } from '../../../domain/gap-rule.ts'
import type { Change } from '../../../domain/transfer-plan.ts'

/** A stretch of pages in one state before and in one state after. */
interface Stretch extends ByteRange {
  readonly kind: 'changed' | 'cleared' | 'held' | 'hole'
}

export interface PagesScene {
  readonly stretches: readonly Stretch[]
  readonly changes: Change[]
  readonly held: ByteRange[]
  readonly gapRule: GapRule
  /** By stretch: what the base blob shall hold. */
  readonly newPages: readonly PageState[]
}

/** `mixed`: not all pages of a stretch are alike, which no right plan leaves behind. */
export type PageState = 'new' | 'old' | 'none' | 'mixed'

const BEFORE = { changed: 'old', cleared: 'old', held: 'old', hole: 'none' } as const
const AFTER = { changed: 'new', cleared: 'none', held: 'old', hole: 'none' } as const
const PAGES = { tiny: 4, small: 300, large: 10_000 } as const

export function randomScene(random: () => number): PagesScene {
  const below = (limit: number): number => Math.floor(random() * limit)
  const kinds = ['changed', 'changed', 'held', 'held', 'cleared', 'hole'] as const
  const sizes = Object.values(PAGES)
  const stretches: Stretch[] = []
  let atBytes = 0
  for (let index = below(14); index >= 0; index--) {
    const kind = stretches.at(-1)?.kind === 'changed' && random() < 0.6 ? 'held' : kinds[below(kinds.length)]!
    const endBytes = atBytes + (1 + below(kind === 'held' ? PAGES.small : sizes[below(sizes.length)]!)) * PAGE_BYTES
    stretches.push({ kind, startBytes: atBytes, endBytes })
    atBytes = endBytes
  }
  return {
    stretches,
    changes: stretches.flatMap(({ kind, startBytes, endBytes }): Change[] =>
      kind === 'changed' || kind === 'cleared' ? [{ kind: kind === 'changed' ? 'copy' : 'clear', startBytes, endBytes }] : [],
    ),
    held: stretches.filter(({ kind }) => kind === 'changed' || kind === 'held'),
    gapRule: { maxBytes: (1 + below(2 * PAGES.small)) * PAGE_BYTES, shareOfLongest: 1 },
    newPages: stretches.map(({ kind }) => AFTER[kind]),
  }
}

/** What the stretches hold after the requests. Copying an unchanged page leaves what was there. */
export function applyRequests({ stretches }: PagesScene, requests: readonly Change[]): PageState[] {
  return stretches.map(({ kind, startBytes, endBytes }) => {
    const touching = requests.filter((request) => request.startBytes < endBytes && request.endBytes > startBytes)
    const states = new Set<PageState>()
    let coveredBytes = 0
    for (const request of touching) {
      coveredBytes += Math.min(request.endBytes, endBytes) - Math.max(request.startBytes, startBytes)
      states.add(request.kind === 'clear' ? 'none' : kind === 'changed' ? 'new' : kind === 'held' ? 'old' : 'mixed')
    }
    if (coveredBytes < endBytes - startBytes) states.add(BEFORE[kind])
    return states.size === 1 ? [...states][0]! : 'mixed'
  })
}

/**
 * The fewest requests of any plan, found by trying: what is copied is cut into parts that a request may cover, and each
 * request begins at the first byte not yet covered and may end behind any later part within 4 MiB.
 */
export function fewestRequests({ stretches, gapRule }: PagesScene): number {
  const clears = runsOf(stretches, ({ kind }) => kind === 'cleared').length
  return clears + chainsOf(stretches, gapRule.maxBytes).reduce((sum, chain) => sum + fewestFor(chain), 0)
}

function fewestFor(chain: readonly ByteRange[]): number {
  const known = new Map<number, number>()
  const from = (offsetBytes: number): number => {
    const first = chain.find(({ endBytes }) => endBytes > offsetBytes)
    if (first === undefined) return 0
    const startBytes = Math.max(first.startBytes, offsetBytes)
    const before = known.get(startBytes)
    if (before !== undefined) return before
    const limitBytes = startBytes + MAX_WRITE_BYTES
    const ends = chain.flatMap((part) =>
      part.endBytes <= startBytes || part.startBytes >= limitBytes ? [] : [Math.min(part.endBytes, limitBytes)],
    )
    const fewest = 1 + Math.min(...ends.map(from))
    known.set(startBytes, fewest)
    return fewest
  }
  return from(0)
}

/** Runs of changed pages, grouped by whether the gaps between them may be filled. */
function chainsOf(stretches: readonly Stretch[], maxGapBytes: number): ByteRange[][] {
  const chains: ByteRange[][] = []
  for (const run of runsOf(stretches, ({ kind }) => kind === 'changed')) {
    const last = chains.at(-1)?.at(-1)
    const between = stretches.filter((one) => last !== undefined && one.startBytes >= last.endBytes && one.endBytes <= run.startBytes)
    const isFillable = last !== undefined && run.startBytes - last.endBytes <= maxGapBytes && between.every(({ kind }) => kind === 'held')
    if (isFillable) chains.at(-1)!.push(run)
    else chains.push([run])
  }
  return chains
}

function runsOf(stretches: readonly Stretch[], belongs: (stretch: Stretch) => boolean): ByteRange[] {
  const runs: ByteRange[] = []
  for (const stretch of stretches.filter(belongs)) {
    const last = runs.at(-1)
    if (last?.endBytes === stretch.startBytes) runs[runs.length - 1] = { startBytes: last.startBytes, endBytes: stretch.endBytes }
    else runs.push(stretch)
  }
  return runs
}
