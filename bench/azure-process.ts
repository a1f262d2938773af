import { monitorEventLoopDelay } from 'node:perf_hooks'
import { startLocalAzure } from '../simulator/azure.ts'

/**
 * The local Azure in a process of its own, for `local-azure.ts`: tells where it is, lays out a fragmented disk, and
 * says how long its event loop stood still.
 */

export type BenchOrder =
  | { readonly kind: 'fragment'; readonly ranges: number }
  /** What it took since the last time. */
  | { readonly kind: 'usage' }

export type BenchReport =
  | {
      readonly kind: 'ready'
      readonly resourceManagerEndpoint: string
      readonly blobEndpoint: string
      readonly identityEndpoint: string
      readonly identityHeader: string
      readonly accountKey: string
    }
  | { readonly kind: 'fragmented'; readonly diskId: string }
  | { readonly kind: 'usage'; readonly cpuSeconds: number; readonly longestPauseMs: number }

const RANGE_STRIDE_BYTES = 32 * 1024

const [caDir] = process.argv.slice(2)
const azure = await startLocalAzure({ caDir })
const { key } = azure.createAccount({ name: 'bench' })
azure.createContainer('bench', 'blobs')
const pauses = monitorEventLoopDelay({ resolution: 1 })
pauses.enable()
let cpuBefore = process.cpuUsage()

async function fragment(ranges: number): Promise<BenchReport> {
  const { id } = azure.createDisk({ name: 'fragmented', sizeGib: Math.ceil((ranges * RANGE_STRIDE_BYTES) / 2 ** 30) })
  const page = Buffer.alloc(512, 1)
  for (let index = 0; index < ranges; index += 1) await azure.writeDisk(id, index * RANGE_STRIDE_BYTES, page)
  return { kind: 'fragmented', diskId: id }
}

async function obey(order: BenchOrder): Promise<BenchReport> {
  if (order.kind === 'fragment') return fragment(order.ranges)
  const { user, system } = process.cpuUsage(cpuBefore)
  const longestPauseMs = pauses.max / 1e6
  cpuBefore = process.cpuUsage()
  pauses.reset()
  return { kind: 'usage', cpuSeconds: (user + system) / 1e6, longestPauseMs }
}

const tell = (report: BenchReport): void => void process.send?.(report)
process.on('message', (order: BenchOrder) => void obey(order).then(tell))
process.on('disconnect', () => void azure.close())
const { resourceManagerEndpoint, blobEndpoint, identityEndpoint, identityHeader } = azure
tell({ kind: 'ready', resourceManagerEndpoint, blobEndpoint, identityEndpoint, identityHeader, accountKey: key })
