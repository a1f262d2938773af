/** Recovery points as VHD files: whole, sparse, resumable, never in the place of what was there. */
import { execFile, execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { GIB, KIB, MIB } from '../../domain/byte-range.ts'
import type { Manifest } from '../../domain/manifest.ts'
import { seededRandom } from '../../domain/sampler.ts'
import { BaseBlob } from '../../azure/base-blob.ts'
import { hasE2fsprogs, hasSfdisk, IMAGE_BYTES, makeGpt, makeImage } from '../support/ext4.ts'
import { createFaults, offlineCli } from '../support/offline-cli.ts'
import { createRandomDisk, noise } from '../support/random-disk.ts'
import { openScene, type Scene } from '../support/scene.ts'

const SEED = Number(process.env['SNAPFERRY_TEST_SEED'] ?? Date.now() % 2 ** 31)
const execute = promisify(execFile)

const faults = createFaults()
let scene: Scene
let cli: ReturnType<typeof offlineCli>
let diskId: string
let older: Manifest
let newer: Manifest
let folder: string
let file: string

beforeAll(async () => {
  process.stderr.write(`seed ${SEED}\n`)
  scene = await openScene({ blobHooks: faults.hooks })
  cli = offlineCli(scene)
  diskId = scene.createDisk(1, 'exported')
  const disk = createRandomDisk(scene.azure, diskId, 32 * MIB, SEED)
  await disk.change(20)
  await scene.backUp(diskId)
  await disk.change(20)
  await scene.azure.writeDisk(diskId, 512 * MIB, noise(32 * MIB, seededRandom(SEED)))
  // Allocated, and all zeros.
  await scene.azure.writeDisk(diskId, 700 * MIB, Buffer.alloc(16 * MIB))
  await scene.backUp(diskId)
  ;[newer, older] = (await scene.points(diskId)) as [Manifest, Manifest]
}, 120_000)
afterAll(() => scene?.close())

beforeEach(async () => {
  faults.clear()
  folder = await mkdtemp(join(tmpdir(), 'snapferry-export-'))
  file = join(folder, 'disk.vhd')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const exportTo = (path: string, point: Manifest, ...options: string[]) =>
  cli('rescue', 'export', '--target', scene.targetUrl, '--point', point.id, '--file', path, ...options)

/** The content by the digest of the local Azure (docs/local-azure.md), the footer by the point itself. */
async function expectHoldsDisk(path: string): Promise<void> {
  const hash = createHash('sha256')
  const zeros = Buffer.alloc(64 * KIB)
  const block = Buffer.alloc(64 * KIB)
  const header = Buffer.alloc(16)
  const handle = await open(path)
  try {
    for (let atBytes = 0; atBytes < GIB; atBytes += block.length) {
      await handle.read(block, 0, block.length, atBytes)
      if (block.equals(zeros)) continue
      header.writeBigUInt64BE(BigInt(atBytes), 0)
      header.writeBigUInt64BE(BigInt(block.length), 8)
      hash.update(header).update(block)
    }
    expect(hash.digest('hex')).toBe((await scene.azure.digestDisk(diskId)).sha256)
    const { buffer: footer } = await handle.read(Buffer.alloc(512), 0, 512, GIB)
    const blob = new BaseBlob(scene.clients, scene.targetUrl, newer.baseBlob.name)
    expect(footer.equals(await blob.read({ startBytes: GIB, endBytes: GIB + 512 }, newer.baseBlob.snapshot))).toBe(true)
  } finally {
    await handle.close()
  }
}

describe('a point is exported', () => {
  test('byte for byte, as a sparse file and nothing beside it', async () => {
    const { exitCode, stdout } = await exportTo(file, newer, '--json')
    const result = JSON.parse(stdout) as { allocatedBytes: number; comparedBytes: number; movedBytes: number }
    expect({ exitCode, result }).toMatchObject({ exitCode: 0, result: { path: file, fileBytes: GIB + 512, isResumed: false } })
    await expectHoldsDisk(file)
    expect(result.allocatedBytes).toBeLessThan(96 * MIB)
    expect(result.movedBytes).toBeGreaterThanOrEqual(48 * MIB)
    expect(result.comparedBytes).toBeGreaterThan(0)
    expect(await readdir(folder)).toEqual(['disk.vhd'])
  }, 60_000)

  test('so that qemu-img reads it as a fixed VHD with the content of the disk', async () => {
    if (!hasQemu()) return void process.stderr.write('qemu-img is not installed: its reading was not tested\n')
    await exportTo(file, newer)
    // Of creators that it does not know qemu takes the size from the geometry, which is a little smaller, unless told otherwise.
    const image = `driver=vpc,force_size_calc=current_size,file.filename=${file}`
    const { stdout } = await execute('qemu-img', ['info', '--image-opts', '--output=json', image])
    expect(JSON.parse(stdout)).toMatchObject({ format: 'vpc', 'virtual-size': GIB })
    const raw = join(folder, 'disk.raw')
    const handle = await open(raw, 'w')
    await handle.truncate(GIB)
    for (const atBytes of [0, 512 * MIB]) await handle.write(await scene.azure.readDisk(diskId, atBytes, 32 * MIB), 0, 32 * MIB, atBytes)
    await handle.close()
    const compared = await execute('qemu-img', ['compare', '--image-opts', image, `driver=raw,file.filename=${raw}`])
    expect(compared.stdout).toContain('Images are identical')
  }, 60_000)

  const testWithTools = hasE2fsprogs() && hasSfdisk() ? test : test.skip
  testWithTools('so that examples/fsck-ext4.mjs finds the ext4 file systems in the partitions of a GPT clean, and one that was damaged not', async () => {
    const gptDiskId = scene.createDisk(1, 'partitioned')
    const partitions = [MIB, 300 * MIB + 512].map((startBytes) => ({ startBytes, endBytes: startBytes + IMAGE_BYTES }))
    for (const { offsetBytes, bytes } of makeGpt(GIB, partitions)) await scene.azure.writeDisk(gptDiskId, offsetBytes, bytes)
    for (const { startBytes } of partitions) await scene.azure.writeDisk(gptDiskId, startBytes, makeImage())
    const checkExported = async (): Promise<ReturnType<typeof spawnSync>> => {
      await scene.backUp(gptDiskId)
      const [point] = await scene.points(gptDiskId)
      await rm(file, { force: true })
      expect(await exportTo(file, point!)).toMatchObject({ exitCode: 0 })
      return spawnSync(process.execPath, ['examples/fsck-ext4.mjs', file], { encoding: 'utf8' })
    }
    const clean = await checkExported()
    expect(clean).toMatchObject({ status: 0, stderr: expect.not.stringContaining('file system at') })
    // One line of totals each.
    expect(String(clean.stdout).match(/\d+\/\d+ files/g)).toHaveLength(2)
    await scene.azure.writeDisk(gptDiskId, partitions[1]!.startBytes + 8192, Buffer.alloc(4 * MIB))
    expect(await checkExported()).toMatchObject({ status: 1, stderr: expect.stringContaining(`file system at byte ${partitions[1]!.startBytes}: `) })
  }, 120_000)

  test('by `restore export` in the same way', async () => {
    const { exitCode } = await cli('restore', 'export', '--target', scene.targetUrl, '--disk', diskId, '--file', file)
    expect(exitCode).toBe(0)
    await expectHoldsDisk(file)
  }, 60_000)
})

describe('an export that was interrupted', () => {
  beforeEach(async () => {
    faults.afterRequests('GetBlob', 12, () => void process.emit('SIGINT'))
    const { exitCode, stderr } = await exportTo(file, newer)
    faults.clear()
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 130, stderr: expect.stringContaining('the same command goes on') })
    expect((await readdir(folder)).toSorted()).toEqual(['disk.vhd.partial', 'disk.vhd.partial.json'])
  }, 60_000)

  test('goes on where it stopped, and ends with the whole point', async () => {
    const { state } = JSON.parse(await readFile(`${file}.partial.json`, 'utf8')) as { state: { nextOffsetBytes: number } }
    expect(state.nextOffsetBytes).toBeGreaterThan(0)
    const { exitCode, stdout } = await exportTo(file, newer, '--json')
    expect({ exitCode, result: JSON.parse(stdout) }).toMatchObject({ exitCode: 0, result: { isResumed: true } })
    await expectHoldsDisk(file)
    expect(await readdir(folder)).toEqual(['disk.vhd'])
  }, 60_000)

  test('is not gone on with by another point: refused, and the partial file stays', async () => {
    const before = await stat(`${file}.partial`)
    const { exitCode, stderr } = await exportTo(file, older)
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 7, stderr: expect.stringContaining(`is of point ${newer.id}`) })
    expect((await stat(`${file}.partial`)).mtimeMs).toBe(before.mtimeMs)
  })

  test('is found out when the partial file was damaged meanwhile', async () => {
    const handle = await open(`${file}.partial`, 'r+')
    await handle.write(noise(4 * KIB, seededRandom(SEED + 1)), 0, 4 * KIB, 900 * MIB)
    await handle.close()
    const { exitCode, stderr } = await exportTo(file, newer)
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 3, stderr: expect.stringContaining(`differs from point ${newer.id}`) })
    expect(await readdir(folder)).toEqual([])
  }, 60_000)
})

describe('what is there stays as it was', () => {
  test('a file of that name', async () => {
    await writeFile(file, 'precious')
    const { exitCode, stderr } = await exportTo(file, newer)
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 7, stderr: expect.stringContaining('is not overwritten') })
    expect(await readFile(file, 'utf8')).toBe('precious')
    expect(await readdir(folder)).toEqual(['disk.vhd'])
  })

  test("a partial file that is nobody's", async () => {
    await writeFile(`${file}.partial`, 'precious')
    const { exitCode } = await exportTo(file, newer)
    expect(exitCode).toBe(7)
    expect(await readFile(`${file}.partial`, 'utf8')).toBe('precious')
  })

  test('a side file that is no checkpoint', async () => {
    await writeFile(`${file}.partial.json`, '{')
    const { exitCode, stderr } = await exportTo(file, newer)
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 7, stderr: expect.stringContaining('is not the checkpoint of an export') })
    expect(await readdir(folder)).toEqual(['disk.vhd.partial.json'])
  })

  test('a folder that is missing is named', async () => {
    const { exitCode, stderr } = await exportTo(join(folder, 'missing', 'disk.vhd'), newer)
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('its folder is not there') })
  })

  test('a full file system: said so, and after room was made the export goes on', async () => {
    const small = join(folder, 'small')
    await mkdir(small)
    if (!mountTmpfs(small, 'size=20m')) return void process.stderr.write('no right to mount: a full disk was not tested\n')
    try {
      await writeFile(join(small, 'precious'), 'precious')
      const path = join(small, 'disk.vhd')
      const full = await exportTo(path, newer)
      expect(full).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('its file system is full') })
      expect(full.stderr).toContain('warning:')
      expect(await readFile(join(small, 'precious'), 'utf8')).toBe('precious')
      mountTmpfs(small, 'remount,size=200m')
      expect(await exportTo(path, newer)).toMatchObject({ exitCode: 0 })
      await expectHoldsDisk(path)
    } finally {
      execFileSync('umount', [small])
    }
  }, 60_000)
})

describe('a range', () => {
  test('goes to stdout as it is, in order, over several requests', async () => {
    const chunks: Buffer[] = []
    const range = { startBytes: 511 * MIB, endBytes: 535 * MIB + 7 }
    const { exitCode } = await cliOf(chunks, '--range', `${range.startBytes}-${range.endBytes - 1}`)
    expect(exitCode).toBe(0)
    const wanted = (await scene.azure.readDisk(diskId, range.startBytes, 25 * MIB)).subarray(0, 24 * MIB + 7)
    expect(sha256Of(Buffer.concat(chunks))).toBe(sha256Of(wanted))
  })

  test.each(['0', '5-4', '-1-5', '0-99999999999'])('%s is refused before a byte is written', async (range) => {
    const chunks: Buffer[] = []
    expect((await cliOf(chunks, '--range', range)).exitCode).toBe(2)
    expect(Buffer.concat(chunks)).toHaveLength(0)
  })

  test('or a file, but not both and not neither', async () => {
    const args = ['rescue', 'export', '--target', scene.targetUrl, '--point', newer.id]
    expect((await cli(...args)).exitCode).toBe(2)
    expect((await cli(...args, '--file', file, '--range', '0-511')).exitCode).toBe(2)
  })
})

/** The command line with a stdout that keeps bytes. */
async function cliOf(chunks: Buffer[], ...options: string[]): Promise<{ exitCode: number }> {
  const { Writable } = await import('node:stream')
  const { main } = await import('../../client/main.ts')
  const sink = (keep?: Buffer[]) =>
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        keep?.push(Buffer.from(chunk))
        done()
      },
    })
  const argv = ['rescue', 'export', '--target', scene.targetUrl, '--point', newer.id, ...options]
  return { exitCode: await main(argv, { environment: {}, stdout: sink(chunks), stderr: sink() }) }
}

function sha256Of(data: Buffer): string {
  return createHash('sha256').update(data).digest('hex')
}

function hasQemu(): boolean {
  try {
    execFileSync('qemu-img', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

function mountTmpfs(path: string, options: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
