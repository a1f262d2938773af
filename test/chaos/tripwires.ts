/**
 * Faults at a chosen call to Azure, one at a time for each lane: a request that is lost, or one that is carried out and whose
 * answer is lost. Lanes are told apart by a word that all their resources carry in their names.
 */
import type { ServiceHooks } from '../../simulator/blob-service/service-hooks.ts'
import { ConnectionDropped } from '../../simulator/faults/connection-dropped.ts'
import type { BeforeOperation } from '../../simulator/compute/arm-call.ts'

export interface Tripwire {
  readonly atCall: number
  /** Counts calls of this operation only. */
  readonly operation?: string
  /** The call takes effect before its answer is lost. */
  readonly isCarriedOut: boolean
  /** Called in the instant, and awaited. */
  readonly onTrip: () => Promise<void> | void
}

export interface Tripwires {
  readonly blobHooks: ServiceHooks
  readonly beforeOperation: BeforeOperation
  /** Replaces the lane's wire; undefined takes it away. */
  set(lane: string, wire: Tripwire | undefined): void
  /** How many have been stepped on. */
  readonly tripped: number
}

const LANE = /lane\d+x/

export function createTripwires(): Tripwires {
  let tripped = 0
  const armed = new Map<string, { readonly wire: Tripwire; calls: number }>()
  const step = (name: string, operation: string): Tripwire | undefined => {
    const [lane] = LANE.exec(name) ?? []
    const entry = lane === undefined ? undefined : armed.get(lane)
    if (lane === undefined || entry === undefined) return undefined
    if (entry.wire.operation !== undefined && entry.wire.operation !== operation) return undefined
    entry.calls += 1
    if (entry.calls !== entry.wire.atCall) return undefined
    armed.delete(lane)
    tripped += 1
    return entry.wire
  }
  const answersToLose = new WeakSet<object>()
  return {
    blobHooks: {
      async before(call) {
        const wire = step(call.container, call.operation)
        if (wire === undefined) return
        await wire.onTrip()
        if (!wire.isCarriedOut) throw new ConnectionDropped()
        answersToLose.add(call)
      },
      after(call) {
        if (answersToLose.has(call)) throw new ConnectionDropped()
      },
    },
    async beforeOperation({ path, operation }) {
      const wire = step(path, operation)
      await wire?.onTrip()
      return wire === undefined || wire.isCarriedOut ? undefined : UNAVAILABLE
    },
    get tripped() {
      return tripped
    },
    set(lane, wire) {
      if (wire === undefined) armed.delete(lane)
      else armed.set(lane, { wire, calls: 0 })
    },
  }
}

/** The resource manager answers every call; a lost one is told as what its SDK makes of it. */
const UNAVAILABLE = { status: 503, headers: { 'retry-after': '0' }, body: { error: { code: 'ServiceUnavailable', message: 'lost' } } }
