/** The runbook's ways without Temporal, by the command line: each makes the same bytes, in this process. */
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals'
import { MIB } from '../../domain/byte-range.ts'
import { seededRandom } from '../../domain/sampler.ts'
import { offlineCli } from '../support/offline-cli.ts'
import { noise } from '../support/random-disk.ts'
import { openScene, SOURCE_REGION, TARGET_REGION, type Scene } from '../support/scene.ts'

let scene: Scene
let cli: ReturnType<typeof offlineCli>
let diskId: string
let sha256: string
const data = noise(MIB, seededRandom(5))
beforeAll(async () => {
  scene = await openScene()
  cli = offlineCli(scene)
  for (const [name, location] of [['restored', TARGET_REGION], ['beside', SOURCE_REGION]] as const) scene.azure.createResourceGroup({ name, location })
  diskId = scene.createDisk(1, 'kinds')
  await scene.azure.writeDisk(diskId, 4 * MIB, data)
  ;({ sha256 } = await scene.azure.digestDisk(diskId))
  await scene.backUp(diskId)
}, 240_000)
afterAll(() => scene?.close())
afterEach(() => expect(scene.azure.grantedAccess()).toEqual([]))

const idIn = (group: string, type: string, name: string): string => diskId.replace(/source\/.*$/, `${group}/providers/Microsoft.Compute/${type}/${name}`)
const account = (): string => diskId.replace(/source\/.*$/, 'local/providers/Microsoft.Storage/storageAccounts/backups')

test.each([
  ['from the base blob', () => [idIn('restored', 'disks', 'base'), '--to-disk', TARGET_REGION, '--base-blob', '--os-type', 'Linux', '--generation', 'V2']],
  ['by import', () => [idIn('restored', 'disks', 'imported'), '--to-disk', TARGET_REGION, '--import', '--storage-account-id', account()]],
  ['from the source snapshot', () => [idIn('beside', 'disks', 'fast'), '--to-disk', SOURCE_REGION, '--source-snapshot']],
  ['to a full snapshot', () => [idIn('restored', 'snapshots', 'full'), '--to-snapshot', TARGET_REGION]],
  ['to an incremental snapshot', () => [idIn('restored', 'snapshots', 'incremental'), '--to-snapshot', TARGET_REGION, '--as', 'incremental-snapshot']],
])('rescue restore %s', async (_what, words) => {
  const [id = '', option = '', region = '', ...more] = words()
  const args = ['--target', scene.targetUrl, '--disk', diskId, option, id, '--region', region, ...more]
  const planned = await cli('restore', 'plan', ...args)
  expect({ exitCode: planned.exitCode, stdout: planned.stdout }).toEqual({ exitCode: 0, stdout: expect.not.stringContaining('BLOCKED') })
  const { exitCode, stdout } = await cli('rescue', 'restore', ...args)
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: expect.stringContaining(`${id} holds `) })
  expect((await scene.azure.digestDisk(id)).sha256).toBe(sha256)
}, 120_000)

test('rescue export writes the base blob to a file, and bytes by offset and length to stdout', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'snapferry-kinds-')), 'base.vhd')
  const source = ['--target', scene.targetUrl, '--disk', diskId]
  const exported = await cli('rescue', 'export', ...source, '--base-blob', '--file', file)
  expect({ exitCode: exported.exitCode, stderr: exported.stderr }).toEqual({ exitCode: 0, stderr: expect.stringContaining('not sealed') })
  expect(readFileSync(file).subarray(4 * MIB, 5 * MIB).equals(data)).toBe(true)
  const { exitCode } = await cli('rescue', 'export', ...source, '--range', `${4 * MIB}:512`)
  expect(exitCode).toBe(0)
}, 120_000)

test.each([
  [['--base-blob', '--at', '2026-01-01']],
  [['--import']],
  [['--import', '--source-snapshot', '--storage-account-id', 'x']],
  [['--as', 'snapshot']],
])('options that contradict each other are refused: %s', async (more) => {
  const args = ['--target', scene.targetUrl, '--disk', diskId, '--to-disk', idIn('restored', 'disks', 'never'), '--region', TARGET_REGION]
  expect(await cli('rescue', 'restore', ...args, ...more)).toMatchObject({ exitCode: 2 })
})
