/** What a bench may ask of its local Azure beside what every client may: see `azure-process.ts`. */
import type { FaultRuleSpec } from '../simulator/faults/fault-rule.ts'
import type { ShapingChange } from '../simulator/shaping/shaping-settings.ts'
import type { PageWrites } from './page-writes.ts'
import type { Scatter } from './scattered-ranges.ts'

export interface AzureReady {
  readonly resourceManagerEndpoint: string
  readonly blobEndpoint: string
  readonly identityEndpoint: string
  readonly identityHeader: string
  readonly controlEndpoint: string
  /** Of the account `bench`. */
  readonly accountKey: string
  /** What a client process needs in its environment. */
  readonly env: Readonly<Record<string, string>>
}

export interface AzureUsage {
  readonly cpuSeconds: number
  readonly longestPauseMs: number
}

/** Each order by its name: what it takes and what it gives. */
export interface AzureOrders {
  /** A disk with so many ranges. */
  fragment: { takes: { ranges: number }; gives: { diskId: string } }
  /** The virtual machine writes random bytes, the same ones for the same seed. */
  fill: { takes: { diskId: string; startBytes: number; endBytes: number; seed: number }; gives: void }
  scatter: { takes: { diskId: string; scatter: Scatter }; gives: void }
  shape: { takes: { shaping: ShapingChange }; gives: void }
  /** Takes the place of all rules. */
  disturb: { takes: { rules: readonly FaultRuleSpec[] }; gives: void }
  /** What it took since the last time. */
  usage: { takes: void; gives: AzureUsage }
  /** What was written since the last time. */
  pageWrites: { takes: void; gives: PageWrites }
}

export type OrderName = keyof AzureOrders
export interface Order {
  readonly number: number
  readonly name: OrderName
  readonly takes: unknown
}
export type Answer = { readonly number: number } & ({ readonly gives: unknown } | { readonly error: string })
