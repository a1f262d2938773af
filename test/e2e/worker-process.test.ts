import { stderr } from 'node:process'
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals'
import { GIB, MIB } from '../../domain/byte-range.ts'
import { seededRandom } from '../../domain/sampler.ts'
import type { OperationCall } from '../../simulator/blob-service/service-hooks.ts'
import type { BackupDiskResult } from '../../workflows/messages.ts'
import { noise } from '../support/random-disk.ts'
import { openScene, type Scene } from '../support/scene.ts'
import { startWorkerProcess, type WorkerProcess } from '../support/worker-process.ts'

let scene: Scene
let beforeOperation: ((call: OperationCall) => Promise<void>) | undefined
let afterOperation: ((call: OperationCall) => void) | undefined
const workers: WorkerProcess[] = []
beforeAll(async () => {
  scene = await openScene({ hasWorker: false, blobHooks: { before: (call) => beforeOperation?.(call), after: (call) => afterOperation?.(call) } })
})
afterEach(async () => {
  for (const started of workers.splice(0)) await started.kill()
  beforeOperation = undefined
  afterOperation = undefined
})
afterAll(() => scene?.close())

function worker(): WorkerProcess {
  const started = startWorkerProcess(scene)
  workers.push(started)
  return started
}

test('after SIGKILL in mid-transfer another worker goes on, and copies again no more than was in flight', async () => {
  const diskId = scene.createDisk(1)
  const data = noise(4 * MIB, seededRandom(1))
  const chunks = 128
  for (let index = 0; index < chunks; index++) {
    data.writeUInt32LE(index)
    await scene.azure.writeDisk(diskId, index * 4 * MIB, data)
  }
  const { sha256 } = await scene.azure.digestDisk(diskId)
  let copies = 0
  let answered = 0
  let inFlight = 0
  const first = worker()
  const killed = new Promise<void>((resolve) => {
    beforeOperation = async ({ operation }) => {
      if (operation !== 'PutPageFromUrl') return
      copies += 1
      if (copies === 60) {
        inFlight = copies - answered
        await first.kill().then(resolve)
      }
      await new Promise((done) => setTimeout(done, 50))
    }
  })
  afterOperation = ({ operation }) => {
    if (operation === 'PutPageFromUrl') answered += 1
  }
  const run = await scene.startBackup(diskId)
  await killed
  worker()
  const { point } = (await run.result()) as BackupDiskResult
  // Every chunk and the footer once, and what was in flight twice.
  expect(copies).toBeGreaterThanOrEqual(chunks + 1)
  expect(copies).toBeLessThanOrEqual(chunks + 1 + inFlight)
  const { diskId: restored } = await scene.restore({ pointId: point.id })
  expect((await scene.azure.digestDisk(restored)).sha256).toBe(sha256)
}, 180_000)

test('a worker that backs up 64 MiB of changes on a 64 GiB disk stays below 300 MB of memory', async () => {
  const diskId = scene.createDisk(64)
  const data = noise(MIB, seededRandom(2))
  await scene.azure.writeDisk(diskId, 3 * GIB, data)
  const running = worker()
  await scene.backUp(diskId)
  for (let index = 0; index < 64; index++) await scene.azure.writeDisk(diskId, index * GIB, data)
  const { point } = await scene.backUp(diskId)
  const peakBytes = await running.peakMemoryBytes()
  stderr.write(`changed ${point.changedBytes} bytes, moved ${point.movedBytes} bytes, worker's peak memory ${peakBytes} bytes\n`)
  expect(point.changedBytes).toBe(64 * MIB)
  expect(point.movedBytes).toBeLessThanOrEqual(1.1 * point.changedBytes)
  if (peakBytes !== undefined) expect(peakBytes).toBeLessThan(300e6)
}, 180_000)

test('a worker that is told to stop ends cleanly', async () => {
  const running = worker()
  const diskId = scene.createDisk(1)
  await scene.backUp(diskId)
  expect(await running.stop()).toBe(0)
}, 60_000)
