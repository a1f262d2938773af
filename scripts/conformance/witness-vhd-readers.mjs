/** Witness: qemu-img and vhdiinfo read an exported VHD and an exported VHDX: size, type, content. */
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runQuietly } from '../lib/processes.mjs'
import { openStage } from './stage.mjs'
import { findSystemProgram } from './tools.mjs'

const EXPORT = fileURLToPath(new URL('export-vhd.mjs', import.meta.url))
const DISK_BYTES = 2 ** 30
const HEAD_BYTES = 6 * 2 ** 20
/** 8141BF1D-A96F-4709-BA47-F233A8FAAB5F, as a file holds it ([MS-VHDX], 2.6.2.4). */
const LOGICAL_SECTOR_SIZE = Buffer.from('1dbf41816fa90947ba47f233a8faab5f', 'hex')

/** @type {import('./witnesses.mjs').Witness} */
export const vhdReaders = {
  name: 'vhd-readers',
  async prepare() {
    return { qemuImg: await findSystemProgram('qemu-img', 'qemu-utils'), vhdiinfo: await findSystemProgram('vhdiinfo', 'libvhdi-utils') }
  },
  async hear({ qemuImg, vhdiinfo }) {
    const stage = await openStage()
    try {
      const details = [...(await readVhd(stage, qemuImg, vhdiinfo)), ...(await readVhdx(stage, qemuImg, vhdiinfo))]
      return ['an exported VHD and VHDX are fixed, of 1 GiB, and hold what the disks held', ...details]
    } finally {
      await stage.close()
    }
  },
}

async function readVhd(stage, qemuImg, vhdiinfo) {
  const [vhd, raw] = [join(stage.folder, 'export.vhd'), join(stage.folder, 'vhd.raw')]
  await runQuietly(process.execPath, [EXPORT, 'VHD', vhd, raw], { env: stage.env })
  // Before version 10 qemu does not know the VHDs of Azure ('wa'), and takes their rounded geometry for the size.
  const image = `driver=vpc,force_size_calc=current_size,file.driver=file,file.filename=${vhd}`
  const comparison = await compare(qemuImg, image, raw)
  return [comparison, await describe(vhdiinfo, vhd)]
}

async function readVhdx(stage, qemuImg, vhdiinfo) {
  const [vhdx, raw] = [join(stage.folder, 'export.vhdx'), join(stage.folder, 'vhdx.raw')]
  await runQuietly(process.execPath, [EXPORT, 'VHDX', vhdx, raw], { env: stage.env })
  const described = await describe(vhdiinfo, vhdx)
  expectEqual('sectors by vhdiinfo', /Bytes per sector\s*:\s*(\d+)/.exec(described)?.[1], '4096')
  // qemu refuses sectors of 4,096 bytes. As long as a disk has no more than 16 blocks, nothing else in the file depends on their size.
  await tellSectorSize(vhdx, 512)
  const comparison = await compare(qemuImg, `driver=vhdx,file.driver=file,file.filename=${vhdx}`, raw)
  return [comparison, described]
}

/** Fails when a byte differs. */
async function compare(qemuImg, image, raw) {
  const info = JSON.parse(await runQuietly(qemuImg, ['info', '--output', 'json', '--image-opts', image]))
  expectEqual('virtual size by qemu-img', info['virtual-size'], DISK_BYTES)
  const content = `driver=raw,file.driver=file,file.filename=${raw}`
  // Ends with 1 when a byte differs.
  return (await runQuietly(qemuImg, ['compare', '--image-opts', content, image])).trim()
}

async function describe(vhdiinfo, file) {
  const described = await runQuietly(vhdiinfo, [file])
  expectEqual('disk type by vhdiinfo', /Disk type\s*:\s*(\S+)/.exec(described)?.[1], 'Fixed')
  expectEqual('media size by vhdiinfo', /Media size\s*:.*\((\d+) bytes\)/.exec(described)?.[1], String(DISK_BYTES))
  return described.trim()
}

/** Overwrites the logical sector size, which the metadata names by its GUID. */
async function tellSectorSize(vhdx, sectorBytes) {
  const file = await open(vhdx, 'r+')
  try {
    const head = Buffer.alloc(HEAD_BYTES)
    await file.read(head, 0, HEAD_BYTES, 0)
    const metadata = head.indexOf('metadata')
    const item = head.indexOf(LOGICAL_SECTOR_SIZE)
    const valueOffset = metadata + head.readUInt32LE(item + 16)
    expectEqual('logical sector size', head.readUInt32LE(valueOffset), 4096)
    head.writeUInt32LE(sectorBytes, valueOffset)
    await file.write(head, valueOffset, 4, valueOffset)
  } finally {
    await file.close()
  }
}

function expectEqual(what, actual, expected) {
  if (actual !== expected) throw new Error(`${what}: ${actual} instead of ${expected}`)
}
