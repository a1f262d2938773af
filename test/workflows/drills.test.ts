/** Drills on the real stack: what they find, what they leave behind (nothing), and that silence is heard. */
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { ApplicationFailure } from '@temporalio/client'
import type { DrillHost } from '../../activities/drill-host.ts'
import { listDrillResults } from '../../azure/drill-results.ts'
import { createManifest, deleteManifest, listPoints } from '../../azure/manifests.ts'
import { findDisk } from '../../azure/disks.ts'
import { KIB, MIB } from '../../domain/byte-range.ts'
import type { DrillRule } from '../../domain/drill.ts'
import type { DrillResult } from '../../domain/drill-result.ts'
import type { Silence } from '../../domain/drill-review.ts'
import { chainPrefix, drillDiskName, drillWorkflowId, manifestName, parseBaseBlobName, restoreWorkflowId } from '../../domain/names.ts'
import { isCopied, type AnyManifest, type Manifest } from '../../domain/manifest.ts'
import { seededRandom } from '../../domain/sampler.ts'
import { restoreTags } from '../../domain/tags.ts'
import { createUploadDisk } from '../../azure/new-disks.ts'
import { drillFolders } from '../../engine/drill-image.ts'
import { pointBlobOf, pointContentOf } from '../../engine/restore-job.ts'
import { allocatedBytesOf } from '../../engine/restore-route.ts'
import type { drillPolicy, drillRestore, watchDrills } from '../../workflows/index.ts'
import type { DrillRestoreInput, WatchDrillsInput } from '../../workflows/messages.ts'
import type { Fate, OperationCall } from '../../simulator/blob-service/service-hooks.ts'
import { hasE2fsprogs, makeImage } from '../support/ext4.ts'
import { createRandomDisk, noise } from '../support/random-disk.ts'
import { openScene, SOURCE_REGION, TARGET_REGION, type Scene } from '../support/scene.ts'

const SEED = Number(process.env['SNAPFERRY_TEST_SEED'] ?? Date.now() % 2 ** 31)
const HOUR_MS = 3_600_000
const RULE: DrillRule = { region: TARGET_REGION, resourceGroup: 'drills', point: 'newest', disks: 'one', timeoutMinutes: 10, alertAfterMs: HOUR_MS }

let scene: Scene
let spoil: ((call: OperationCall) => Fate | undefined) | undefined
let folder: string
let alerts: string
beforeAll(async () => {
  process.stderr.write(`seed ${SEED}\n`)
  folder = await mkdtemp(join(tmpdir(), 'snapferry-drills-test-'))
  alerts = join(folder, 'alerts')
  const alertCommand = [process.execPath, '-e', `require('fs').appendFileSync(${JSON.stringify(alerts)}, require('fs').readFileSync(0))`]
  const drills: DrillHost = { mayRunCommands: true, alertCommand, gauges: { reviewed() {}, ended() {} } }
  scene = await openScene({ drills, blobHooks: { before: (call) => spoil?.(call) } })
  scene.azure.createResourceGroup({ name: 'drills', location: TARGET_REGION })
})
afterAll(async () => {
  await scene?.close()
  await rm(folder, { recursive: true })
})
afterEach(async () => {
  spoil = undefined
  expect(scene.azure.grantedAccess()).toEqual([])
  expect(await drillDisks()).toEqual([])
  // Other tests on this machine may be at work in theirs.
  expect((await drillFolders()).filter((path) => path.includes(`-${process.pid}-`))).toEqual([])
})

async function drillDisks(): Promise<string[]> {
  const names: string[] = []
  for await (const { name = '' } of scene.clients.compute(scene.azure.subscriptionId).disks.listByResourceGroup('drills')) names.push(name)
  return names
}

async function backedUpDisk(rounds = 1): Promise<string> {
  const diskId = scene.createDisk(1)
  const disk = createRandomDisk(scene.azure, diskId, 32 * MIB, SEED)
  for (let round = 0; round < rounds; round++) {
    await disk.change(10)
    await scene.backUp(diskId)
  }
  return diskId
}

const lastAlert = async (): Promise<unknown> => JSON.parse((await readFile(alerts, 'utf8')).trim().split('\n').at(-1)!)

const queue = (): string => `${scene.taskQueuePrefix}-control`

function startDrill(diskId: string, rule: Partial<DrillRule> = {}, more: Partial<DrillRestoreInput> = {}) {
  return scene.client.workflow.start<typeof drillRestore>('drillRestore', {
    taskQueue: queue(),
    workflowId: drillWorkflowId(diskId, scene.targetUrl),
    args: [{ targetUrl: scene.targetUrl, diskId, rule: { ...RULE, ...rule }, ...more }],
  })
}

async function drill(diskId: string, rule: Partial<DrillRule> = {}, more: Partial<DrillRestoreInput> = {}): Promise<DrillResult> {
  return (await startDrill(diskId, rule, more)).result()
}

/** The result that a failed drill carries. */
async function failureOf(work: Promise<unknown>): Promise<{ type: string | undefined; message: string; details: unknown[] }> {
  const error: unknown = await work.then(
    () => new Error('it did not fail'),
    (caught: unknown) => caught,
  )
  const cause = error instanceof Error ? error.cause : undefined
  if (!(cause instanceof ApplicationFailure)) throw error
  return { type: cause.type ?? undefined, message: cause.message, details: cause.details ?? [] }
}

const throwAwayDisk = (diskId: string): string =>
  diskId.replace(/resourceGroups\/[^/]+/, 'resourceGroups/drills').replace(/[^/]+$/, drillDiskName(diskId, scene.targetUrl))

test('a drill restores the newest point, compares all its bytes with the digests, measures, and leaves nothing but its result', async () => {
  const diskId = await backedUpDisk(2)
  const [newest] = await scene.points(diskId)
  const result = await drill(diskId)
  expect(result).toMatchObject({ verdict: 'passed', point: { id: newest?.id }, comparedWith: 'digests', region: TARGET_REGION, warnings: [] })
  expect(result.comparedBytes).toBeGreaterThanOrEqual(await allocatedBytesOf(scene.engine, pointContentOf(scene.targetUrl, newest!)))
  expect(result.rtoSeconds).toBeGreaterThan(0)
  expect(Object.keys(result.phaseSeconds)).toEqual(expect.arrayContaining(['plan', 'restore', 'restore.transfer', 'restore.verify', 'compare']))
  expect(await listDrillResults(scene.clients, scene.targetUrl, diskId)).toEqual([result])
}, 120_000)

test('the data of a disk is for no network: the disk of its drill is read all the same', async () => {
  const spec = { name: 'closed', sizeGib: 1, resourceGroup: 'source', location: SOURCE_REGION, properties: { networkAccessPolicy: 'DenyAll', tier: 'P50' } }
  const diskId = scene.azure.createDisk(spec).id
  await createRandomDisk(scene.azure, diskId, 32 * MIB, SEED).change(3)
  await scene.backUp(diskId)
  expect(await drill(diskId)).toMatchObject({ verdict: 'passed', comparedWith: 'digests', warnings: [] })
}, 120_000)

test('a drill of a point that has lost its digests compares all bytes with the point itself', async () => {
  const diskId = await backedUpDisk()
  const [point] = await scene.points(diskId)
  const { name, snapshot } = point!.digests!
  await scene.clients.container(scene.targetUrl).getPageBlobClient(name).withSnapshot(snapshot).delete()
  const result = await drill(diskId)
  expect(result).toMatchObject({ verdict: 'passed', comparedWith: 'point' })
  expect(result.comparedBytes).toBeGreaterThanOrEqual(await allocatedBytesOf(scene.engine, pointContentOf(scene.targetUrl, point!)))
}, 120_000)

test('a drill finds one flipped bit of its point, as its restore does, keeps what it found, raises the alert, and leaves nothing behind', async () => {
  const diskId = await backedUpDisk()
  const [point] = await scene.points(diskId)
  await rotFirstHeld(point!)
  const { type, message, details } = await failureOf(drill(diskId))
  expect({ type, message }).toEqual({ type: 'DrillFailed', message: expect.stringContaining(`differs from point ${point!.id} at `) })
  const [kept] = await listDrillResults(scene.clients, scene.targetUrl, diskId)
  expect(details).toEqual([kept])
  expect(kept).toMatchObject({ verdict: 'failed', failure: { type: 'VerificationFailed' } })
  expect(await lastAlert()).toMatchObject({ format: 1, type: 'DrillFailed', diskId, drill: { id: kept?.id } })
}, 120_000)

test('a point that a drill found to be damaged is suspect, with those that share the damage: the next drill passes them over, the next backup mends', async () => {
  const diskId = scene.createDisk(1)
  const sharedAt = 64 * MIB
  for (const at of [0, sharedAt, 128 * MIB]) {
    await scene.azure.writeDisk(diskId, at, noise(64 * KIB, seededRandom(SEED + at)))
    await scene.backUp(diskId)
  }
  const [newest, middle, oldest] = (await scene.points(diskId)) as [Manifest, Manifest, Manifest]
  await rotFirstHeld(newest, sharedAt)
  const { message, details } = await failureOf(drill(diskId))
  expect(message).toContain(`it was deleted again. The point itself is damaged; marked as suspect: ${newest.id}, ${middle.id}`)
  expect(details).toMatchObject([{ point: { id: newest.id }, suspects: [newest.id, middle.id] }])
  expect((await suspectIds(diskId)).toSorted()).toEqual([newest.id, middle.id].toSorted())

  await expect(drill(diskId)).resolves.toMatchObject({ verdict: 'passed', point: { id: oldest.id }, warnings: [newest, middle].map(({ id }) => expect.stringMatching(new RegExp(`^passed over: point ${id} of \\S+ is suspect since .*: its bytes differ from its digests at `))) })
  expect((await failureOf(drill(diskId, {}, { pointId: newest.id }))).message).toContain('is suspect since')

  const { point: mended } = await scene.backUp(diskId)
  expect(mended.mended).toEqual([{ startBytes: sharedAt, endBytes: sharedAt + 4 * MIB }])
  await expect(drill(diskId)).resolves.toMatchObject({ verdict: 'passed', point: { id: mended.id } })
}, 180_000)

test('a drill finds one flipped bit that is in the disk only after it was handed over, and does not blame the point', async () => {
  const diskId = await backedUpDisk()
  const [point] = await scene.points(diskId)
  // The restore compares by its write access, the drill by one to read.
  spoil = ({ operation, account }) =>
    operation === 'GetBlob' && account.startsWith('md-') && scene.azure.grantedAccess().some(({ id, access }) => access === 'Read' && /\/disks\//i.test(id)) ? { flipByteAt: 77 } : undefined
  const { message } = await failureOf(drill(diskId))
  expect(message).toContain(`differs from the digests of point ${point!.id} at `)
  expect(message).toContain('The point itself is as its digests say there')
  expect(await suspectIds(diskId)).toEqual([])
  const [kept] = await listDrillResults(scene.clients, scene.targetUrl, diskId)
  expect(kept).toMatchObject({ verdict: 'failed', failure: { type: 'VerificationFailed' }, comparedWith: 'digests' })
}, 120_000)

/** Flips a bit of the first bytes that the point holds at or behind an address. */
async function rotFirstHeld(point: Manifest, fromBytes = 0): Promise<void> {
  const content = pointContentOf(scene.targetUrl, point)
  const { name, snapshot } = point.baseBlob
  for await (const { startBytes } of pointBlobOf(scene.engine, content).allocated({ startBytes: fromBytes, endBytes: content.blobBytes })) {
    return scene.azure.rotBlob({ account: 'backups', container: 'points', blob: name, snapshot, offsetBytes: startBytes + 77, mask: 4 })
  }
}

async function suspectIds(diskId: string): Promise<string[]> {
  const { checks } = await listPoints(scene.clients, scene.targetUrl, { diskId })
  return [...checks.values()].filter(({ suspect }) => suspect !== undefined).map(({ pointId }) => pointId)
}

describe('a command of the user', () => {
  const node = (script: string): string[] => [process.execPath, '-e', script]

  test('gets the image of the disk, byte for byte, as its last word', async () => {
    const diskId = await backedUpDisk()
    const copy = join(folder, 'copy.img')
    const { command, verdict } = await drill(diskId, { command: node(`require('fs').copyFileSync(process.argv[1], ${JSON.stringify(copy)}); console.log('seen')`) })
    expect({ verdict, command }).toMatchObject({ verdict: 'passed', command: { exitCode: 0, output: 'seen' } })
    const image = await readFile(copy)
    expect(image).toHaveLength(1024 * MIB)
    expect(image.subarray(0, 64 * MIB).equals(await scene.azure.readDisk(diskId, 0, 64 * MIB))).toBe(true)
  }, 120_000)

  test('that fails fails the drill; the end of its output is kept, without secrets', async () => {
    const diskId = await backedUpDisk()
    const script = `console.log('x'.repeat(5000)); console.error('https://a.blob/x?se=1&' + ['sig', 'SECR' + 'ET%3D'].join('=') + ' broken'); process.exit(9)`
    const { message, details } = await failureOf(drill(diskId, { command: node(script) }))
    expect(message).toContain('ended with 9')
    const [{ command }] = details as [DrillResult]
    expect(command).toMatchObject({ exitCode: 9, output: expect.stringMatching(/^x+\nhttps:\/\/a\.blob\/x\?… broken$/) })
    expect(Buffer.byteLength(command!.output)).toBeLessThanOrEqual(2048)
    expect(JSON.stringify(details)).not.toContain('SECRET')
  }, 120_000)

  test('that is not there fails the drill and says so', async () => {
    const diskId = await backedUpDisk()
    expect((await failureOf(drill(diskId, { command: ['no-such-program'] }))).message).toContain('program no-such-program cannot be run on the worker')
  }, 120_000)

  const testWithE2fsck = hasE2fsprogs() ? test : test.skip
  testWithE2fsck.each([
    ['the disk', 0],
    ['its first partition', MIB],
  ])('fsck-ext4.mjs finds the ext4 file system of %s clean, and one that was damaged not', async (_where, offsetBytes) => {
    const command = [process.execPath, 'examples/fsck-ext4.mjs']
    const diskId = scene.createDisk(1)
    await scene.azure.writeDisk(diskId, offsetBytes, makeImage())
    if (offsetBytes > 0) await scene.azure.writeDisk(diskId, 0, mbrWithPartition(offsetBytes))
    await scene.backUp(diskId)
    expect(await drill(diskId, { command })).toMatchObject({ verdict: 'passed', command: { exitCode: 0, output: expect.stringContaining('files') } })
    // The table of inodes of its first group: what the root folder is, too.
    await scene.azure.writeDisk(diskId, offsetBytes + 8192, Buffer.alloc(4 * MIB))
    await scene.backUp(diskId)
    expect((await failureOf(drill(diskId, { command }))).message).toContain('fsck-ext4.mjs ended with 1 on the image')
  }, 180_000)
})

/** A master boot record with one partition up to the end of the disk. */
function mbrWithPartition(startBytes: number): Buffer {
  const mbr = Buffer.alloc(512)
  mbr[446 + 4] = 0x83
  mbr.writeUInt32LE(startBytes / 512, 446 + 8)
  mbr.writeUInt32LE((1024 * MIB - startBytes) / 512, 446 + 12)
  mbr.writeUInt16LE(0xaa55, 510)
  return mbr
}

describe('a drill that does not come to its end', () => {
  test('is cancelled: its disk, its image and its program are taken away, and no result is kept', async () => {
    const diskId = await backedUpDisk()
    const begun = join(folder, 'begun')
    const handle = await startDrill(diskId, { command: [process.execPath, '-e', `require('fs').writeFileSync(${JSON.stringify(begun)}, String(process.pid)); setInterval(() => {}, 1000)`] })
    const pid = Number(await fileWhenThere(begun))
    await handle.cancel()
    await expect(handle.result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } })
    expect(() => process.kill(pid, 0)).toThrow()
    expect(await listDrillResults(scene.clients, scene.targetUrl, diskId)).toEqual([])
  }, 120_000)

  test('takes too long: it fails as such, and its disk is deleted', async () => {
    const diskId = await backedUpDisk()
    // 3 s, of which the program alone takes longer.
    const { message } = await failureOf(drill(diskId, { timeoutMinutes: 0.05, command: [process.execPath, '-e', 'setInterval(() => {}, 1000)'] }))
    expect(message).toContain('it took longer than its timeout of 0.05 minutes')
    expect(await listDrillResults(scene.clients, scene.targetUrl, diskId)).toMatchObject([{ verdict: 'failed' }])
  }, 120_000)

  test('was terminated: the next one deletes the disk that it left, once it can no longer be at work', async () => {
    const diskId = await backedUpDisk()
    const [point] = await scene.points(diskId)
    const leave = (begunAt: string): Promise<void> =>
      createUploadDisk(scene.clients, {
        id: throwAwayDisk(diskId),
        location: TARGET_REGION,
        sizeBytes: point!.sizeBytes,
        shape: { logicalSectorBytes: 512 },
        tags: restoreTags(point!.id, `drill ${begunAt} terminated`),
      })
    await leave(new Date().toISOString())
    expect((await failureOf(drill(diskId))).message).toContain('exists already')
    scene.azure.deleteDisk(throwAwayDisk(diskId))
    await leave(new Date(Date.now() - 2 * HOUR_MS).toISOString())
    await expect(drill(diskId)).resolves.toMatchObject({ verdict: 'passed' })
  }, 120_000)

  test('its restore was given up half-way: nothing of it stays', async () => {
    const diskId = await backedUpDisk()
    const handle = await startDrill(diskId, { resourceGroup: 'drills', region: 'nowhere' })
    expect((await failureOf(handle.result())).type).toBe('DrillFailed')
    expect(await findDisk(scene.clients, throwAwayDisk(diskId))).toBeUndefined()
    await expect(scene.client.workflow.getHandle(restoreWorkflowId(throwAwayDisk(diskId))).describe()).resolves.toMatchObject({ status: { name: 'FAILED' } })
  }, 120_000)
})

async function replaceManifest(blobName: string, manifest: AnyManifest): Promise<void> {
  await deleteManifest(scene.clients, scene.targetUrl, blobName)
  await createManifest(scene.clients, scene.targetUrl, blobName, manifest)
}

async function fileWhenThere(path: string): Promise<string> {
  for (;;) {
    const text = await readFile(path, 'utf8').catch(() => '')
    if (text !== '') return text
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

test('a point without digests is compared with its own bytes, and the result says so', async () => {
  const diskId = await backedUpDisk()
  const [point] = await scene.points(diskId)
  const { digests: _, ...bare } = point!
  await replaceManifest(manifestName(parseBaseBlobName(point!.baseBlob.name)!, point!.id), bare)
  const result = await drill(diskId)
  expect(result).toMatchObject({ verdict: 'passed', comparedWith: 'point', warnings: [expect.stringContaining('has no digests')] })
  expect(result.comparedBytes).toBeGreaterThanOrEqual(await allocatedBytesOf(scene.engine, pointContentOf(scene.targetUrl, point!)))
}, 120_000)

describe('a point that Azure copied', () => {
  const copyStart = { resourceGroup: 'copies', region: TARGET_REGION }
  async function copiedDisk(): Promise<{ diskId: string; pointId: string }> {
    const diskId = scene.createDisk(1)
    scene.azure.createResourceGroup({ name: 'copies', location: TARGET_REGION })
    await scene.azure.writeDisk(diskId, 16 * MIB, noise(8 * MIB, seededRandom(SEED)))
    return { diskId, pointId: (await scene.backUp(diskId, { copyStart })).point.id }
  }

  test.each([TARGET_REGION, SOURCE_REGION])('is drilled in %s: all bytes of the disk are compared with those of the snapshot, and the program gets them', async (region) => {
    const { diskId, pointId } = await copiedDisk()
    scene.azure.createResourceGroup({ name: `drills-${region}`, location: region })
    const script = `const fs = require('fs'), head = Buffer.alloc(${32 * MIB}); fs.readSync(fs.openSync(process.argv[1]), head); process.stdout.write(require('crypto').createHash('sha256').update(head).digest('hex'))`
    const result = await drill(diskId, { region, resourceGroup: `drills-${region}`, command: [process.execPath, '-e', script] })
    expect(result).toMatchObject({ verdict: 'passed', point: { id: pointId }, comparedWith: 'point', warnings: [expect.stringContaining('has no digests')] })
    expect(result.comparedBytes).toBe(8 * MIB + 512)
    const head = createHash('sha256').update(await scene.azure.readDisk(diskId, 0, 32 * MIB))
    expect(result.command).toMatchObject({ exitCode: 0, output: head.digest('hex') })
  }, 120_000)

  test('whose disk is not as it is fails the drill; nothing is marked, as there are no digests to ask', async () => {
    const { diskId, pointId } = await copiedDisk()
    // Disk and snapshot are read alike: of the two reads of a place the second one is another.
    const seen = new Set<string>()
    spoil = ({ operation, account, request }) => {
      if (operation !== 'GetBlob' || !account.startsWith('md-')) return undefined
      if (!scene.azure.grantedAccess().some(({ id }) => id.includes('/resourceGroups/drills/'))) return undefined
      const range = request.header('x-ms-range') ?? request.header('range') ?? ''
      if (seen.has(range)) return { flipByteAt: 77 }
      seen.add(range)
      return undefined
    }
    const { message, details } = await failureOf(drill(diskId))
    expect(message).toContain(`differs from point ${pointId} at `)
    expect(details).toMatchObject([{ verdict: 'failed', failure: { type: 'VerificationFailed' } }])
    expect(await suspectIds(diskId)).toEqual([])
  }, 120_000)

  test('whose data cannot be read is refused before anything is made', async () => {
    const { diskId, pointId } = await copiedDisk()
    const [copied] = (await listPoints(scene.clients, scene.targetUrl, { diskId })).points.filter(isCopied)
    const { id, uniqueId } = { ...copied!.disk }
    const manifest = { ...copied!, verification: { ...copied!.verification, result: 'none' as const } }
    await replaceManifest(manifestName(chainPrefix(id, uniqueId), pointId), manifest)
    const { message } = await failureOf(drill(diskId))
    expect(message).toContain(`point ${pointId} is an Azure snapshot (engine copy-start) whose data cannot be read`)
  }, 120_000)
})

describe('a policy', () => {
  const policyInput = (diskIds: string[], rule: Partial<DrillRule>) => ({ policy: 'drilled', targetUrl: scene.targetUrl, diskIds, rule: { ...RULE, ...rule } })
  const drillAll = (diskIds: string[], rule: Partial<DrillRule>) =>
    scene.client.workflow.execute<typeof drillPolicy>('drillPolicy', { taskQueue: queue(), workflowId: `drill/${scene.taskQueuePrefix}`, args: [policyInput(diskIds, rule)] })

  const watch = (diskIds: string[], rule: WatchDrillsInput['rule'], sinceMs: number, targetUrl = scene.targetUrl): Promise<Silence> =>
    scene.client.workflow.execute<typeof watchDrills>('watchDrills', {
      taskQueue: queue(),
      workflowId: `drill-watch/${scene.taskQueuePrefix}`,
      args: [{ policy: 'drilled', targetUrl, diskIds, rule, since: new Date(Date.now() - sinceMs).toISOString() }],
    })

  test('drills all its disks, and fails where one has no point while the others go on', async () => {
    const [good, empty] = [await backedUpDisk(), scene.createDisk(1)]
    const { type, details } = await failureOf(drillAll([good, empty], { disks: 'all' }))
    expect(type).toBe('DrillFailed')
    expect(details).toMatchObject([{ disks: [{ diskId: good, outcome: 'passed' }, { diskId: empty, outcome: 'failed', reason: expect.stringContaining('no point') }] }])
  }, 120_000)

  test('that was never drilled is overdue once its silence is too long, and not before', async () => {
    const diskId = scene.createDisk(1)
    const rule = { disks: 'one', alertAfterMs: HOUR_MS } as const
    await expect(watch([diskId], rule, HOUR_MS / 2)).resolves.toMatchObject({ isOverdue: false })
    const { type, message } = await failureOf(watch([diskId], rule, 2 * HOUR_MS))
    expect({ type, message }).toEqual({ type: 'DrillOverdue', message: expect.stringContaining('no drill has ever succeeded') })
    expect(await lastAlert()).toMatchObject({ type: 'DrillOverdue', policy: 'drilled' })
  }, 60_000)

  test('is as quiet as the success of any disk allows, or of every disk where it drills all', async () => {
    const [drilled, other] = [await backedUpDisk(), scene.createDisk(1)]
    await drill(drilled)
    await expect(watch([drilled, other], { disks: 'one', alertAfterMs: HOUR_MS }, 2 * HOUR_MS)).resolves.toMatchObject({ isOverdue: false })
    const { details } = await failureOf(watch([drilled, other], { disks: 'all', alertAfterMs: HOUR_MS }, 2 * HOUR_MS))
    expect(details).toMatchObject([{ isOverdue: true, diskId: other }])
  }, 120_000)

  test('whose target is gone raises an alert by its drill and by its watch, which fail with the reason', async () => {
    const diskId = scene.createDisk(1)
    const goneUrl = scene.targetUrl.replace(/points$/, 'gone')
    const input = { targetUrl: goneUrl, diskId, rule: RULE }
    const drilled = await failureOf(
      scene.client.workflow.execute<typeof drillRestore>('drillRestore', { taskQueue: queue(), workflowId: drillWorkflowId(diskId, goneUrl), args: [input] }),
    )
    expect(drilled).toMatchObject({ type: 'DrillFailed', details: [{ failure: { type: 'TargetNotFound' }, warnings: [expect.stringContaining('could not be kept')] }] })
    expect(await lastAlert()).toMatchObject({ type: 'DrillFailed', diskId, targetUrl: goneUrl })
    // A target that does not answer at all is waited for by both, and the alert by them.
    const { events = [] } = await scene.client.workflow.getHandle(drillWorkflowId(diskId, goneUrl)).fetchHistory()
    const scheduled = (events ?? []).flatMap(({ activityTaskScheduledEventAttributes: one }) => one ?? [])
    const patienceOf = (name: string) => scheduled.find(({ activityType }) => activityType?.name === name)?.scheduleToCloseTimeout?.seconds?.toString()
    expect(patienceOf('planDrill')).toBe(patienceOf('recordDrill'))
    expect(patienceOf('planDrill')).toBeDefined()

    const { type, message } = await failureOf(watch([diskId], { disks: 'one', alertAfterMs: HOUR_MS }, 2 * HOUR_MS, goneUrl))
    expect({ type, message }).toEqual({ type: 'DrillOverdue', message: expect.stringContaining('could not be read') })
    expect(await lastAlert()).toMatchObject({ type: 'DrillOverdue', policy: 'drilled', targetUrl: goneUrl, message })
  }, 60_000)
})
