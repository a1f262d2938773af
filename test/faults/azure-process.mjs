/**
 * A local Azure in a process of its own, with traps: `{ trap: { lane, atCall, isAfter } }` holds the lane's call of that number, before
 * or after its work, until `{ release }` or until the process is killed. A lane is told by a word in the names of its resources.
 *
 * Says `{ ready }` when it listens, `{ trapped }` when a trap has closed, `{ counts }` when asked by `{ count: true }`.
 */
import { ConnectionDropped } from '../../dist/simulator/faults/connection-dropped.js'
import { startLocalAzure } from '../../dist/simulator/azure.js'

const LANE = /lane\d+x/
/** By lane. */
const calls = new Map()
const traps = new Map()
const copies = new Map()
let letGo = []

function laneOf(text) {
  return LANE.exec(text)?.[0]
}

/** Calls of an export name its snapshot or disk nowhere; its account does. */
function laneOfBlobCall({ account, container }) {
  if (!account.startsWith('md-')) return laneOf(container)
  return laneOf(azure.grantedAccess().find(({ sasUrl }) => sasUrl.includes(account))?.id ?? '')
}

/** Counts the call; resolves to whether its client is to get no answer. */
async function pass(lane, operation, isAfter) {
  if (lane === undefined) return false
  if (!isAfter) calls.set(lane, (calls.get(lane) ?? 0) + 1)
  const trap = traps.get(lane)
  if (trap === undefined || calls.get(lane) < trap.atCall || trap.isAfter !== isAfter) return false
  traps.delete(lane)
  process.send({ trapped: lane, operation })
  return new Promise((resolve) => letGo.push(resolve))
}

function noteCopy({ operation, container, request }, change) {
  if (operation !== 'PutPageFromUrl') return
  const lane = laneOf(container) ?? 'none'
  const known = copies.get(lane) ?? { sent: 0, inFlight: 0, ranges: new Set() }
  copies.set(lane, known)
  known.inFlight += change
  if (change < 0) return
  known.sent += 1
  known.ranges.add(request.header('x-ms-range') ?? request.header('range'))
}

const azure = await startLocalAzure({
  ...JSON.parse(process.argv[2]),
  settings: { enforceSnapshotRate: false, enforceThrottling: false },
  blobHooks: {
    async before(call) {
      noteCopy(call, 1)
      if (await pass(laneOfBlobCall(call), call.operation, false)) throw new ConnectionDropped()
    },
    async after(call) {
      noteCopy(call, -1)
      if (await pass(laneOfBlobCall(call), call.operation, true)) throw new ConnectionDropped()
    },
  },
  async beforeOperation({ path, operation }) {
    await pass(laneOf(path), operation, false)
    return undefined
  },
})

process.on('message', ({ trap, release, count }) => {
  if (trap !== undefined) {
    calls.set(trap.lane, 0)
    copies.delete(trap.lane)
    traps.set(trap.lane, trap)
  }
  if (release !== undefined) {
    traps.clear()
    for (const resolve of letGo.splice(0)) resolve(release.isLost)
  }
  if (count !== undefined) {
    const byLane = [...copies].map(([lane, { sent, inFlight, ranges }]) => [lane, { sent, inFlight, ranges: ranges.size }])
    process.send({ counts: { calls: Object.fromEntries(calls), copies: Object.fromEntries(byLane) } })
  }
})
const { resourceManagerEndpoint, resourceManagerAudience, blobEndpoint, identityEndpoint, identityHeader, controlEndpoint, subscriptionId, env } = azure
process.send({ ready: { resourceManagerEndpoint, resourceManagerAudience, blobEndpoint, identityEndpoint, identityHeader, controlEndpoint, subscriptionId, env } })
