#!/usr/bin/env node
/**
 * Checks the ext4 file systems on the image of a disk: at its very start, or in the partitions of its MBR or GPT.
 *
 *     node fsck-ext4.mjs IMAGE
 *
 * As `command` of a drill: `[node, /path/to/fsck-ext4.mjs]`. Needs e2fsck (e2fsprogs) and no other right than to read the file: nothing
 * is mounted and nothing is written. Ends with 0 when every ext4 file system that was found is clean, with 1 when one is not, with 2
 * when none was found: an image that holds something else is no success.
 *
 * A disk is backed up as it was in one instant, so a file system that was mounted then still has its journal to be played; `e2fsck -n`
 * does not play it and may then complain of what the journal would mend. Freeze the file system while the backup takes its snapshot, or
 * drill disks that are at rest.
 */
import { execFileSync } from 'node:child_process'
import { closeSync, openSync, readSync } from 'node:fs'

const SECTOR_BYTES = 512
/** The superblock lies 1024 bytes into a file system, its magic number 0x38 bytes into that. */
const MAGIC_AT_BYTES = 1024 + 0x38
const EXT_MAGIC = 0xef53
const PROTECTIVE_MBR = 0xee
/** Debian keeps e2fsck out of the PATH of ordinary users. */
const PATH = `${process.env.PATH ?? ''}:/usr/sbin:/sbin`

const [image] = process.argv.slice(2)
if (image === undefined) {
  process.stderr.write('usage: fsck-ext4.mjs IMAGE\n')
  process.exit(2)
}
process.exitCode = main(image)

function main(path) {
  const file = openSync(path, 'r')
  const starts = [0, ...partitionStarts(file)].filter((startBytes) => isExt(file, startBytes))
  closeSync(file)
  if (starts.length === 0) {
    process.stderr.write(`no ext4 file system at the start of the image or in one of its partitions\n`)
    return 2
  }
  return starts.map((startBytes) => check(path, startBytes)).every(Boolean) ? 0 : 1
}

function isExt(file, startBytes) {
  const magic = read(file, startBytes + MAGIC_AT_BYTES, 2)
  return magic.length === 2 && magic.readUInt16LE() === EXT_MAGIC
}

/** Of the primary partitions of an MBR, or of all of a GPT. */
function partitionStarts(file) {
  const mbr = read(file, 0, SECTOR_BYTES)
  if (mbr.length < SECTOR_BYTES || mbr.readUInt16LE(510) !== 0xaa55) return []
  const entries = [446, 462, 478, 494].map((at) => ({ type: mbr[at + 4], sector: mbr.readUInt32LE(at + 8) }))
  if (entries.some(({ type }) => type === PROTECTIVE_MBR)) return gptStarts(file)
  return entries.filter(({ type }) => type !== 0).map(({ sector }) => sector * SECTOR_BYTES)
}

function gptStarts(file) {
  const header = read(file, SECTOR_BYTES, SECTOR_BYTES)
  if (header.toString('latin1', 0, 8) !== 'EFI PART') return []
  const entryBytes = header.readUInt32LE(84)
  const table = read(file, Number(header.readBigUInt64LE(72)) * SECTOR_BYTES, Math.min(header.readUInt32LE(80), 256) * entryBytes)
  const starts = []
  for (let at = 0; at + entryBytes <= table.length; at += entryBytes) {
    const isUsed = table.subarray(at, at + 16).some((byte) => byte !== 0)
    if (isUsed) starts.push(Number(table.readBigUInt64LE(at + 32)) * SECTOR_BYTES)
  }
  return starts
}

function check(path, startBytes) {
  // e2fsck's own way to name a file system within a file (e2fsck(8)).
  const device = startBytes === 0 ? path : `${path}?offset=${startBytes}`
  try {
    process.stdout.write(execFileSync('e2fsck', ['-fn', device], { env: { ...process.env, PATH }, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }))
    return true
  } catch (error) {
    process.stderr.write(`file system at byte ${startBytes}: ${error.stdout ?? ''}${error.stderr ?? error.message}\n`)
    return false
  }
}

function read(file, atBytes, lengthBytes) {
  const data = Buffer.alloc(lengthBytes)
  return data.subarray(0, readSync(file, data, 0, lengthBytes, atBytes))
}
