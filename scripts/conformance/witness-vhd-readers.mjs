/** Witness: qemu-img and vhdiinfo read an exported VHD: size, type, footer, content. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runQuietly } from '../lib/processes.mjs'
import { openStage } from './stage.mjs'
import { findSystemProgram } from './tools.mjs'

const EXPORT = fileURLToPath(new URL('export-vhd.mjs', import.meta.url))
const DISK_BYTES = 2 ** 30

/** @type {import('./witnesses.mjs').Witness} */
export const vhdReaders = {
  name: 'vhd-readers',
  async prepare() {
    return { qemuImg: await findSystemProgram('qemu-img', 'qemu-utils'), vhdiinfo: await findSystemProgram('vhdiinfo', 'libvhdi-utils') }
  },
  async hear({ qemuImg, vhdiinfo }) {
    const stage = await openStage()
    try {
      const [vhd, raw] = [join(stage.folder, 'export.vhd'), join(stage.folder, 'disk.raw')]
      await runQuietly(process.execPath, [EXPORT, vhd, raw], { env: stage.env })

      // Before version 10 qemu does not know the VHDs of Azure ('wa'), and takes their rounded geometry for the size.
      const image = `driver=vpc,force_size_calc=current_size,file.driver=file,file.filename=${vhd}`
      const info = JSON.parse(await runQuietly(qemuImg, ['info', '--output', 'json', '--image-opts', image]))
      expectEqual('virtual size by qemu-img', info['virtual-size'], DISK_BYTES)
      // Ends with 1 when a byte differs.
      const content = `driver=raw,file.driver=file,file.filename=${raw}`
      const comparison = await runQuietly(qemuImg, ['compare', '--image-opts', content, image])

      const described = await runQuietly(vhdiinfo, [vhd])
      expectEqual('disk type by vhdiinfo', /Disk type\s*:\s*(\S+)/.exec(described)?.[1], 'Fixed')
      expectEqual('media size by vhdiinfo', /Media size\s*:.*\((\d+) bytes\)/.exec(described)?.[1], String(DISK_BYTES))
      return ['an exported VHD is fixed, of 1 GiB, and holds what the disk held', comparison.trim(), described.trim()]
    } finally {
      await stage.close()
    }
  },
}

function expectEqual(what, actual, expected) {
  if (actual !== expected) throw new Error(`${what}: ${actual} instead of ${expected}`)
}
