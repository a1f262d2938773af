/** A small ext4 file system, for disks whose restore is to be clean by the word of e2fsck. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lengthOf, MIB, type ByteRange } from '../../domain/byte-range.ts'

export const IMAGE_BYTES = 32 * MIB
/** Debian keeps these programs out of the PATH of ordinary users. */
const PATH = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`

/** Whether e2fsprogs is installed; without it such a test is skipped. */
export function hasE2fsprogs(): boolean {
  try {
    run('mke2fs', '-V')
    run('e2fsck', '-V')
    return true
  } catch {
    return false
  }
}

/** Whether sfdisk (util-linux) is installed. */
export function hasSfdisk(): boolean {
  try {
    run('sfdisk', '--version')
    return true
  } catch {
    return false
  }
}

/** What a disk with Linux partitions by GPT begins and ends with. */
export function makeGpt(diskBytes: number, partitions: readonly ByteRange[]): { readonly offsetBytes: number; readonly bytes: Buffer }[] {
  return inFolder((file) => {
    writeFileSync(file, '')
    truncateSync(file, diskBytes)
    const lines = partitions.map((range) => `start=${range.startBytes / 512}, size=${lengthOf(range) / 512}, type=L`)
    execFileSync('sfdisk', ['--quiet', file], { env: { ...process.env, PATH }, input: ['label: gpt', ...lines, ''].join('\n'), stdio: 'pipe' })
    const image = readFileSync(file)
    // Header and 128 entries of 128 bytes, in front behind an MBR.
    return [
      { offsetBytes: 0, bytes: image.subarray(0, 34 * 512) },
      { offsetBytes: diskBytes - 33 * 512, bytes: image.subarray(diskBytes - 33 * 512) },
    ]
  })
}

/** With the files of this project's documentation in it. */
export function makeImage(): Buffer {
  return inFolder((file) => {
    run('mke2fs', '-q', '-F', '-t', 'ext4', '-b', '4096', '-d', 'docs', file, `${IMAGE_BYTES / 1024}k`)
    return readFileSync(file)
  })
}

/** @throws where e2fsck finds anything to mend. */
export function checkImage(image: Buffer): void {
  inFolder((file) => {
    writeFileSync(file, image)
    run('e2fsck', '-fn', file)
  })
}

function inFolder<Result>(work: (file: string) => Result): Result {
  const folder = mkdtempSync(join(tmpdir(), 'snapferry-ext4-'))
  try {
    return work(join(folder, 'image'))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function run(program: string, ...args: readonly string[]): void {
  execFileSync(program, args, { env: { ...process.env, PATH }, stdio: 'pipe' })
}
