/** The local Azure in a process of its own, for a bench that is its parent: carries out the orders of `azure-orders.ts`. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { MIB } from '../domain/byte-range.ts'
import { startLocalAzure } from '../simulator/azure.ts'
import type { Answer, AzureOrders, AzureReady, Order, OrderName } from './azure-orders.ts'
import { PageWriteWatch } from './page-writes.ts'
import { randomBytes } from './random-bytes.ts'
import { scatteredRanges } from './scattered-ranges.ts'

const RANGE_STRIDE_BYTES = 32 * 1024
const FILL_BYTES = 4 * MIB

const [caDir] = process.argv.slice(2)
const watch = new PageWriteWatch()
const azure = await startLocalAzure({ caDir, blobHooks: watch })
const { key } = azure.createAccount({ name: 'bench' })
azure.createContainer('bench', 'blobs')
const pauses = monitorEventLoopDelay({ resolution: 1 })
pauses.enable()
let cpuBefore = process.cpuUsage()

type Obey = { [Name in OrderName]: (takes: AzureOrders[Name]['takes']) => Promise<AzureOrders[Name]['gives']> | AzureOrders[Name]['gives'] }

const orders: Obey = {
  async fragment({ ranges }) {
    const { id } = azure.createDisk({ name: 'fragmented', sizeGib: Math.ceil((ranges * RANGE_STRIDE_BYTES) / 2 ** 30) })
    const page = Buffer.alloc(512, 1)
    for (let index = 0; index < ranges; index += 1) await azure.writeDisk(id, index * RANGE_STRIDE_BYTES, page)
    return { diskId: id }
  },
  async fill({ diskId, startBytes, endBytes, seed }) {
    const data = randomBytes(FILL_BYTES, seed)
    for (let atBytes = startBytes; atBytes < endBytes; atBytes += FILL_BYTES) {
      // Each piece has a page of its own, so that none can be taken for another.
      data.writeDoubleBE(atBytes, 0)
      await azure.writeDisk(diskId, atBytes, data.subarray(0, endBytes - atBytes))
    }
  },
  async scatter({ diskId, scatter }) {
    const data = randomBytes(scatter.rangeBytes, scatter.seed)
    for (const { startBytes } of scatteredRanges(scatter)) {
      data.writeDoubleBE(startBytes, 0)
      await azure.writeDisk(diskId, startBytes, data)
    }
  },
  shape({ shaping }) {
    azure.shaper.change(shaping)
  },
  disturb({ rules }) {
    azure.faults.clear()
    for (const rule of rules) azure.faults.add(rule)
  },
  usage() {
    const { user, system } = process.cpuUsage(cpuBefore)
    const longestPauseMs = pauses.max / 1e6
    cpuBefore = process.cpuUsage()
    pauses.reset()
    return { cpuSeconds: (user + system) / 1e6, longestPauseMs }
  },
  pageWrites: () => watch.take(),
}

async function obey({ number, name, takes }: Order): Promise<Answer> {
  try {
    const order = orders[name] as (takes: unknown) => unknown
    return { number, gives: await order(takes) }
  } catch (error) {
    return { number, error: `${name}: ${error instanceof Error ? error.message : String(error)}` }
  }
}

const tell = (message: AzureReady | Answer): void => void process.send?.(message)
process.on('message', (order: Order) => void obey(order).then(tell))
process.on('disconnect', () => void azure.close())
const { resourceManagerEndpoint, blobEndpoint, identityEndpoint, identityHeader, controlEndpoint, env } = azure
tell({ resourceManagerEndpoint, blobEndpoint, identityEndpoint, identityHeader, controlEndpoint, accountKey: key, env })
