/** A small ext4 file system, for disks whose restore is to be clean by the word of e2fsck. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MIB } from '../../domain/byte-range.ts'

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
