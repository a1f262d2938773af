/**
 * The demo: a disk, a policy that a Temporal Schedule carries out, a full and two incremental backups, and a restore of
 * the point in the middle, compared byte for byte with what the disk held then.
 *
 * Backups and restore are done by the product's own commands; the disk is changed only between runs, so that it is known
 * what each point must hold. Ends with 0 only if every comparison held. Started by scripts/start.mjs.
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { z } from 'zod'
import { compareDisk } from './compare-disk.ts'
import { chooseContent } from './disk-content.ts'
import { changesBetween, readState, type DiskState } from './disk-state.ts'
import { connectLocalAzure } from './local-azure.ts'
import { mebibytes, pointSchema, renderPointTable } from './report.ts'
import { awaitScheduledBackup } from './scheduled-backup.ts'
import { snapferry } from './snapferry.ts'
import { readStage } from './stage.ts'

const SIZE_GIB = 1
const SIZE_BYTES = SIZE_GIB * 1024 ** 3
const SOURCE_REGION = 'westeurope'
const OTHER_REGION = 'northeurope'
const POLICY = 'demo'
const EVERY = '15s'
const ROUNDS = 3
const RESTORED_ROUND = 2

const startedMs = Date.now()
const stage = await readStage(process.argv[2], process.env)
const azure = connectLocalAzure(stage.azure)
const content = await chooseContent(stage.folder)
const image = join(stage.folder, 'disk.img')
/** By round: what the disk held when the backup of the round was taken. */
const states: DiskState[] = []

try {
  process.exitCode = (await play()) ? 0 : 1
} catch (error) {
  process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}

/** Whether every comparison held. */
async function play(): Promise<boolean> {
  if (stage.uiUrl !== undefined) say(`Watch it in Temporal's UI: ${stage.uiUrl}`)
  say(`A disk of ${SIZE_GIB} GiB in ${SOURCE_REGION}: ${content.description}`)
  const diskId = await azure.createDisk({ name: 'data', sizeGib: SIZE_GIB, location: SOURCE_REGION })
  await content.create(image, SIZE_BYTES)
  await putOntoDisk(diskId)

  say(`A policy: every ${EVERY} to ${stage.targetUrl}, as a Temporal Schedule`)
  await azure.createContainer(stage.targetUrl)
  await applyPolicy(diskId)

  const pointIds: string[] = []
  for (let round = 1; round <= ROUNDS; round++) {
    if (round > 1) {
      say('The disk changes: files are deleted, rewritten and added')
      await content.change(image, round - 1)
      await putOntoDisk(diskId)
    }
    say(`${round === 1 ? 'A full' : 'An incremental'} backup, when the schedule fires`)
    pointIds.push(await awaitScheduledBackup(POLICY))
  }

  say(`The point of round ${RESTORED_ROUND} is restored to a new disk in ${OTHER_REGION}`)
  const restoredId = await restore(pointIds[RESTORED_ROUND - 1] ?? '', `${diskId}-restored`)

  say('The restored disk is compared with what the disk held')
  const isRight = await compareWithStates(restoredId)

  const points = await snapferry(['points', 'list', '--target', stage.targetUrl], z.array(pointSchema))
  say('Done')
  process.stdout.write(`${renderPointTable(points.toReversed())}\n`)
  return isRight
}

/** Brings the disk to what is in the image, as a virtual machine that writes and trims, and keeps the state. */
async function putOntoDisk(diskId: string): Promise<void> {
  const before = states.at(-1)
  const state = await readState(image, before)
  let writtenBytes = 0
  let clearedBytes = 0
  for (const { offsetBytes, lengthBytes, data } of changesBetween(before ?? new Map(), state)) {
    if (data === undefined) await azure.clear(diskId, offsetBytes, lengthBytes)
    else await azure.write(diskId, offsetBytes, data)
    if (data === undefined) clearedBytes += lengthBytes
    else writtenBytes += lengthBytes
  }
  states.push(state)
  tell(`${mebibytes(writtenBytes)} written, ${mebibytes(clearedBytes)} discarded`)
}

/** Paused at first: the demo says when the schedule may fire. */
async function applyPolicy(diskId: string): Promise<void> {
  const policy = { disks: [diskId], schedule: { every: EVERY }, jitter: '0s', paused: true }
  const file = stringify({ target: stage.targetUrl, policies: { [POLICY]: policy } })
  await writeFile(join(stage.folder, 'snapferry.yaml'), file)
  await snapferry(['policy', 'apply'], z.unknown())
}

/** @returns the disk that was made */
async function restore(pointId: string, toDiskId: string): Promise<string> {
  const what = ['--target', stage.targetUrl, '--point', pointId, '--to-disk', toDiskId, '--region', OTHER_REGION]
  await snapferry(['restore', 'run', ...what, '--wait'], z.unknown(), { isShown: true })
  return toDiskId
}

/** Whether a disk holds the state of the restored round, and none of the others: a comparison must be able to fail. */
async function compareWithStates(id: string): Promise<boolean> {
  const copyFile = join(stage.folder, 'restored.img')
  const differences = await compareDisk(azure, { diskId: id, sizeBytes: SIZE_BYTES, states, copyFile })
  for (const [index, blocks] of differences.entries()) {
    tell(`round ${index + 1}: ${blocks === 0 ? 'equal, byte for byte' : `${blocks} blocks of 4 KiB differ`}`)
  }
  tell(await content.inspect(copyFile))
  return differences.every((blocks, index) => (blocks === 0) === (index + 1 === RESTORED_ROUND))
}

/** A step of the story, with the seconds since its beginning. */
function say(text: string): void {
  process.stdout.write(`\n[${Math.round((Date.now() - startedMs) / 1000)} s] ${text}\n`)
}

function tell(text: string): void {
  process.stdout.write(`  ${text}\n`)
}
