/** Damage as an operator meets it: found by `verify run`, shown everywhere, taken only by who asks for it. Child processes on the real stack. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { findDisk } from '../../azure/disks.ts'
import { KIB, MIB } from '../../domain/byte-range.ts'
import { CHUNK_BYTES } from '../../domain/digest-table.ts'
import { seededRandom } from '../../domain/sampler.ts'
import type { VerifyPointResult } from '../../workflows/messages.ts'
import { snapferry, snapferryJson, type CliResult } from '../support/cli-process.ts'
import { noise } from '../support/random-disk.ts'
import { openScene, TARGET_REGION, type Scene } from '../support/scene.ts'

const SEED = Number(process.env['SNAPFERRY_TEST_SEED'] ?? Date.now() % 2 ** 31)
const ROTTEN_AT = 3 * CHUNK_BYTES + 12_345
const ROTTEN_RANGE = `[${3 * CHUNK_BYTES}, ${4 * CHUNK_BYTES})`

let scene: Scene
let diskId: string
let folder: string
/** Bytes of the disk at `ROTTEN_AT`, when the newest point was made. */
let healthy: Buffer
let older: string
let newest: string
beforeAll(async () => {
  process.stderr.write(`seed ${SEED}\n`)
  folder = await mkdtemp(join(tmpdir(), 'snapferry-verify-test-'))
  scene = await openScene()
  scene.azure.createResourceGroup({ name: 'restored', location: TARGET_REGION })
  diskId = scene.createDisk(1, 'data')
  await scene.azure.writeDisk(diskId, 0, noise(8 * MIB, seededRandom(SEED)))
  older = (await scene.backUp(diskId)).point.id
  await scene.azure.writeDisk(diskId, 3 * CHUNK_BYTES, noise(64 * KIB, seededRandom(SEED + 1)))
  healthy = await scene.azure.readDisk(diskId, 3 * CHUNK_BYTES, 64 * KIB)
  newest = (await scene.backUp(diskId)).point.id
})
afterAll(async () => {
  await scene?.close()
  await rm(folder, { recursive: true })
})

const verify = (...options: string[]): Promise<CliResult> => snapferry(scene, ['verify', 'run', '--target', scene.targetUrl, '--wait', ...options])
const restore = (toDiskId: string, ...options: string[]): Promise<CliResult> =>
  snapferry(scene, ['restore', 'run', '--target', scene.targetUrl, '--to-disk', toDiskId, '--region', TARGET_REGION, '--wait', ...options])
const exportTo = (file: string, ...options: string[]): Promise<CliResult> =>
  snapferry(scene, ['restore', 'export', '--target', scene.targetUrl, '--file', file, ...options])

describe('verify run, of a point as it was sealed', () => {
  test.each([
    ['structure', [], 'structure: 0 B in 0 chunks compared with their digests'],
    ['sample', ['--percent', '100', '--seed', '7'], 'sample (100 %, seed 7): 8.06 MiB in 4 chunks compared with their digests'],
    ['full', [], 'full: 8.06 MiB in 4 chunks compared with their digests'],
    ['source', [], 'source: 8.06 MiB in 4 chunks compared with their digests, and 8.06 MiB of the source snapshot with the same'],
  ])('at level %s says what was compared, and ends with 0', async (level, options, told) => {
    const { exitCode, stdout } = await verify('--disk', diskId, '--level', level, ...options)
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: expect.stringContaining(`recovery point ${newest} of `) })
    expect(stdout).toContain(`is as it was sealed\n${told}\n`)
  })

  test('as JSON has the choice that repeats it', async () => {
    const args = ['verify', 'run', '--target', scene.targetUrl, '--point', older, '--level', 'sample', '--percent', '50', '--wait']
    const first = await snapferryJson<VerifyPointResult>(scene, args)
    expect(first).toMatchObject({ point: { id: older }, level: 'sample', choice: { kind: 'sample', percent: 50, seed: expect.any(Number) } })
    const { seed } = first.choice as { seed: number }
    const again = await snapferryJson<VerifyPointResult>(scene, [...args, '--seed', String(seed)])
    // All 32 bits of a seed are taken back.
    await snapferryJson(scene, [...args, '--seed', String(2 ** 32 - 1)])
    expect(again).toMatchObject({ choice: first.choice, comparedBytes: first.comparedBytes, comparedChunks: first.comparedChunks })
  })

  test('shows in points list what was compared', async () => {
    const { stdout } = await snapferry(scene, ['points', 'list', '--target', scene.targetUrl])
    expect(stdout).toMatch(new RegExp(`${newest}.* source `))
  })

  test.each([
    ['a level that does not exist', ['--level', 'thorough'], 2, '--level'],
    ['a share of all chunks', ['--level', 'full', '--percent', '10'], 2, '--percent'],
    ['a share that is none', ['--level', 'sample', '--percent', '101'], 2, '--percent'],
    ['a seed that no sample has', ['--level', 'sample', '--seed', '4294967296'], 2, '--seed'],
  ])('refuses %s', async (_what, options, exitCode, told) => {
    expect(await verify('--disk', diskId, ...options)).toMatchObject({ exitCode, stderr: expect.stringContaining(told) })
  })

  test('at level source is refused for a point whose source snapshot is gone, and tells of the other way', async () => {
    const { exitCode, stderr } = await verify('--point', older, '--level', 'source')
    expect({ exitCode, stderr }).toEqual({ exitCode: 3, stderr: expect.stringMatching(`of point ${older} is gone: .* Compare the point with its digests: --level full`) })
  })

  test('says that there is no such point, and ends with 4', async () => {
    expect(await verify('--point', '20200101T000000Z-000000000000')).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('is not in') })
  })
})

describe('one flipped bit', () => {
  beforeAll(async () => {
    const [{ baseBlob }] = (await scene.points(diskId)) as [Awaited<ReturnType<Scene['points']>>[number]]
    const { name: blob, snapshot } = baseBlob
    await scene.azure.rotBlob({ account: 'backups', container: 'points', blob, snapshot, offsetBytes: ROTTEN_AT, mask: 1 << (SEED % 8) })
  })

  test('is found by verify run --level full, which ends with 3 and says where, which points are concerned, and what follows', async () => {
    const { exitCode, stdout, stderr } = await verify('--disk', diskId, '--level', 'full')
    expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: '' })
    expect(stderr).toContain(`point ${newest} differs from its digests at ${ROTTEN_RANGE}; marked as suspect: ${newest}. The next backup reads these ranges again`)
  })

  test('is shown by points list, restore plan, rescue list and rescue show', async () => {
    const target = ['--target', scene.targetUrl]
    const listed = await snapferry(scene, ['points', 'list', ...target])
    expect(listed.stdout).toMatch(new RegExp(`${newest}.* SUSPECT`))
    expect(listed.stdout).not.toMatch(new RegExp(`${older}.* SUSPECT`))
    expect(listed.stderr).toContain(`${newest} differs from its digests at ${ROTTEN_RANGE}; the next backup reads these ranges again`)
    expect((await snapferry(scene, ['rescue', 'list', ...target])).stdout).toMatch(new RegExp(`${newest}.* SUSPECT`))
    expect((await snapferry(scene, ['rescue', 'show', ...target, '--point', newest])).stdout).toContain('the bytes differ from its digests')
    const planned = await snapferry(scene, ['restore', 'plan', ...target, '--point', newest, '--allow-suspect', '--to-disk', scene.freshDiskId(), '--region', TARGET_REGION])
    expect(planned.stdout + planned.stderr).toContain(`point ${newest} is suspect since`)
  })

  test('keeps the point from being chosen silently: by --disk a restore takes the older one', async () => {
    const toDiskId = scene.freshDiskId()
    const { exitCode, stdout } = await restore(toDiskId, '--disk', diskId)
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: expect.stringContaining(`holds point ${older} of `) })
  })

  test('keeps the point from being restored or exported by its id, which says how to take it nevertheless', async () => {
    const toDiskId = scene.freshDiskId()
    const file = join(folder, 'refused.vhd')
    for (const { exitCode, stderr } of [await restore(toDiskId, '--point', newest), await exportTo(file, '--point', newest)]) {
      expect({ exitCode, stderr }).toEqual({ exitCode: 3, stderr: expect.stringContaining(`point ${newest} of `) })
      expect(stderr).toContain('is suspect since')
      expect(stderr).toContain('or this one with --allow-suspect')
    }
    expect(await findDisk(scene.clients, toDiskId)).toBeUndefined()
    await expect(readFile(file)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('with --allow-suspect is restored as it is, with a warning', async () => {
    const toDiskId = scene.freshDiskId()
    const { exitCode, stdout, stderr } = await restore(toDiskId, '--point', newest, '--allow-suspect')
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: expect.stringContaining(`disk ${toDiskId} holds point ${newest} of `) })
    expect(stderr).toContain(`point ${newest} is suspect since`)
    expect(stderr).toContain('is compared with the point as it is, and not with its digests')
    expect(differingBytes(await scene.azure.readDisk(toDiskId, 3 * CHUNK_BYTES, 64 * KIB), healthy)).toEqual([ROTTEN_AT - 3 * CHUNK_BYTES])
  })

  test('with --allow-suspect is exported as it is, with a warning', async () => {
    const file = join(folder, 'as-it-is.vhd')
    const { exitCode, stderr } = await exportTo(file, '--point', newest, '--allow-suspect')
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.stringContaining(`point ${newest} is suspect since`) })
    const image = await readFile(file)
    expect(image).toHaveLength(1024 * MIB + 512)
    expect(differingBytes(image.subarray(3 * CHUNK_BYTES, 3 * CHUNK_BYTES + 64 * KIB), healthy)).toEqual([ROTTEN_AT - 3 * CHUNK_BYTES])
  })

  test('is mended by backup run, which says so; verify run finds its point as it was sealed', async () => {
    const backup = await snapferry(scene, ['backup', 'run', '--disk', diskId, '--target', scene.targetUrl, '--wait'])
    expect(backup).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('4.00 MiB that were damaged were read again from the source') })
    const { exitCode, stdout } = await verify('--disk', diskId, '--level', 'full')
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: expect.stringContaining('is as it was sealed') })
    const [mended] = await scene.points(diskId)
    const shown = await snapferry(scene, ['rescue', 'show', '--target', scene.targetUrl, '--disk', diskId, '--verified'])
    expect(shown).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(mended!.id) })
    const listed = await snapferry(scene, ['points', 'list', '--target', scene.targetUrl])
    expect(listed.stderr).toMatch(new RegExp(`${newest} differs from its digests at .*; point \\S+ and later ones have them right`))
  })
})

function differingBytes(found: Uint8Array, wanted: Uint8Array): number[] {
  return [...found].flatMap((byte, at) => (byte === wanted[at] ? [] : [at]))
}
