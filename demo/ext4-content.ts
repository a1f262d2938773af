/**
 * An ext4 file system made by mke2fs of a tree of real files: Temporal's SDK in this project's own node_modules.
 *
 * It is changed by debugfs, and e2fsck discards the blocks that became free, as fstrim would on a mounted one.
 */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readdir, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { DiskContent } from './disk-content.ts'

/** dist/demo/ lies two folders below the project. */
const TREE = fileURLToPath(new URL('../../node_modules/@temporalio', import.meta.url))
/** Folders of the tree: each change deletes the files of one. */
const DELETED_FOLDERS = ['core-bridge/releases/x86_64-pc-windows-msvc', 'proto']
const NEW_FILE_BYTES = 6 * 1024 * 1024
/** Debian keeps these programs out of the PATH of ordinary users. */
const PATH = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`

const execute = promisify(execFile)

/** @returns undefined where e2fsprogs is not installed */
export async function createExt4Content(workFolder: string): Promise<DiskContent | undefined> {
  const programs = [run('mke2fs', '-V'), run('debugfs', '-V'), run('e2fsck', '-V')]
  if ((await Promise.allSettled(programs)).some(({ status }) => status === 'rejected')) return undefined
  return {
    description: `an ext4 file system with the files of ${relative(process.cwd(), TREE)}`,
    async create(imageFile, sizeBytes) {
      await run('mke2fs', '-q', '-F', '-t', 'ext4', '-b', '4096', '-L', 'demo', '-d', TREE, imageFile, `${sizeBytes / 1024}k`)
    },
    async change(imageFile, round) {
      const commands = join(workFolder, 'debugfs-commands')
      await writeFile(commands, await changesOf(round, workFolder))
      await run('debugfs', '-w', '-f', commands, imageFile)
      await check(imageFile, '-fy', '-E', 'discard')
    },
    async inspect(imageFile) {
      const { stdout: report } = await check(imageFile, '-fn')
      const { stdout: text } = await run('debugfs', '-R', 'cat /ROUND', imageFile)
      return `e2fsck finds it clean (${report.trim().split('\n').at(-1)}), its file /ROUND says "${text.trim()}"`
    },
  }
}

async function changesOf(round: number, workFolder: string): Promise<string> {
  const report = join(workFolder, 'report.bin')
  const note = join(workFolder, 'round.txt')
  await writeFile(report, randomBytes(NEW_FILE_BYTES))
  await writeFile(note, `changed ${round} time${round === 1 ? '' : 's'}\n`)
  const folder = DELETED_FOLDERS[(round - 1) % DELETED_FOLDERS.length] ?? ''
  // Folders are among them; debugfs says that it does not remove those, and goes on.
  const deleted = await readdir(join(TREE, folder), { recursive: true })
  return [
    ...deleted.map((path) => `rm "/${folder}/${path}"`),
    'rm /ROUND',
    `write "${note}" ROUND`,
    `write "${report}" report-${round}.bin`,
    '',
  ].join('\n')
}

function run(program: string, ...args: readonly string[]): Promise<{ stdout: string; stderr: string }> {
  return execute(program, args, { env: { ...process.env, PATH }, maxBuffer: 64 * 1024 * 1024 })
}

/** e2fsck ends with 1 when it corrected something, which discarding does not count as but deleting by debugfs may. */
async function check(imageFile: string, ...options: readonly string[]): Promise<{ stdout: string }> {
  try {
    return await run('e2fsck', ...options, imageFile)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 1 && 'stdout' in error) return { stdout: String(error.stdout) }
    throw error
  }
}
