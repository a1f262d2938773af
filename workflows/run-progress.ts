/**
 * What a run shows while it goes: the `progress` query, the phase as a search attribute and the details table of the Temporal UI.
 * One event a phase; percentages come from heartbeats and cost no history.
 */
import { setCurrentDetails, setHandler, upsertSearchAttributes } from '@temporalio/workflow'
import { MIB } from '../domain/byte-range.ts'
import { progressQuery, type Progress } from './messages.ts'
import { kindAttribute, phaseAttribute } from './search-attributes.ts'

export interface RunProgress {
  readonly now: Progress
  /** Begins a phase. */
  enter(phase: Progress['phase'], known?: Partial<Progress>): void
  /** Tells what became known within a phase. */
  update(known: Partial<Progress>): void
}

export function trackProgress(phases: readonly Progress['phase'][]): RunProgress {
  let now: Progress = { phase: phases[0] ?? 'plan', movedBytes: 0, extentsDone: 0, extentCount: 0, round: 1, startedAt: {} }
  setHandler(progressQuery, () => now, { description: 'Phase, kind, bytes to move and moved, extents done; those in flight heartbeat theirs' })
  const update = (known: Partial<Progress>): void => {
    now = { ...now, ...known }
    setCurrentDetails(detailsTable(phases, now))
  }
  return {
    get now() {
      return now
    },
    enter(phase, known = {}) {
      update({ ...known, phase, startedAt: { ...now.startedAt, [phase]: new Date().toISOString() } })
      upsertSearchAttributes([
        { key: phaseAttribute, value: phase },
        ...(known.kind === undefined ? [] : [{ key: kindAttribute, value: known.kind }]),
      ])
    },
    update,
  }
}

/** How long each phase took so far, the open one until now; of a phase that was entered again the last time alone. */
export function phaseSeconds({ startedAt }: Progress): Record<string, number> {
  const begun = Object.entries(startedAt).map(([name, at]) => ({ name, atMs: Date.parse(at) }))
  begun.sort((a, b) => a.atMs - b.atMs)
  return Object.fromEntries(begun.map(({ name, atMs }, index) => [name, ((begun[index + 1]?.atMs ?? Date.now()) - atMs) / 1000]))
}

function detailsTable(phases: readonly Progress['phase'][], progress: Progress): string {
  const { phase, kind, reseedCause, totalBytes, movedBytes, extentsDone, extentCount, round, startedAt, pointId, movement, warnings = [] } = progress
  const mib = (bytes: number): string => `${Math.round(bytes / MIB)} MiB`
  const current = phases.indexOf(phase)
  const rows = phases.map((name, index) => {
    const mark = phase === 'done' || index < current ? 'done' : index === current ? '**now**' : ''
    return `| ${name} | ${startedAt[name] === undefined && mark === 'done' ? 'skipped' : mark} | ${startedAt[name] ?? ''} |`
  })
  return [
    ...(kind === undefined ? [] : [`**${kind}**${reseedCause === undefined ? '' : ` (${reseedCause})`}`, '']),
    ...(movement?.transfer === 'stream' ? [`streamed through the worker: ${movement.streamCause}`, ''] : []),
    ...(movement?.savedBytes === undefined ? [] : [`${mib(movement.savedBytes)} found equal and not moved`, '']),
    ...(pointId === undefined ? [] : [`point \`${pointId}\``, '']),
    ...warnings.flatMap((warning) => [`warning: ${warning}`, '']),
    '| phase | state | since |',
    '|---|---|---|',
    ...rows,
    '',
    ...(totalBytes === undefined ? [] : [`moved ${mib(movedBytes)} of ${mib(totalBytes)} in finished extents, ${extentsDone} of ${extentCount}, round ${round}`]),
  ].join('\n')
}
