/**
 * `restore export` and `rescue export`: a recovery point as a VHD file on this machine, or a range of its bytes on stdout.
 * Needs the target and nothing else.
 */
import path from 'node:path'
import type { Command } from 'commander'
import type { ByteRange } from '../../domain/byte-range.ts'
import { BackupError } from '../../domain/failures.ts'
import { originLabel } from '../../domain/restore-request.ts'
import type { Engine } from '../../engine/engine.ts'
import type { RestoreSource } from '../../engine/restore-source.ts'
import { parseByteRange } from '../arguments.ts'
import { defineCommand, type CommandContext, type Host } from '../command.ts'
import { createEngine } from '../engine.ts'
import { formatBytes, formatInstant } from '../format.ts'
import { sourceChoiceOf, withSourceOptions, type SourceOptions } from '../point-choice.ts'
import { abortWhenInterrupted } from '../interrupt.ts'
import { workHere } from '../work-here.ts'

interface ExportOptions extends SourceOptions {
  readonly file?: string
  readonly range?: string
}

export function registerExportCommand(parent: Command, host: Host): void {
  const noun = parent.name()
  defineCommand<ExportOptions>(parent, host, {
    usage: 'export',
    summary: 'write a recovery point to a VHD file on this machine; run again, it goes on where it stopped',
    examples: [
      `${noun} export --target https://account.blob.core.windows.net/backups --point 20261122T101500Z-0123456789ab \\\n` +
        '      --file data.vhd',
      `${noun} export --target https://account.blob.core.windows.net/backups --disk /subscriptions/…/disks/data \\\n` +
        '      --range 0-511 | xxd',
    ],
    configure: (command) =>
      withSourceOptions(command)
        .option('--file <path>', 'the VHD file to make; one that exists is not overwritten')
        .option('--range <range>', 'instead of --file: bytes of the disk to stdout, as FIRST-LAST inclusive or OFFSET:LENGTH'),
    run: async ({ output, load }, options) => {
      const choice = sourceChoiceOf(options)
      const where = destinationOf(options)
      const { settings } = await load()
      const engine = await createEngine(settings.azure)
      const { findRestoreSource } = await import('../../engine/restore-source.ts')
      const { requireReadable } = await import('../../engine/require-readable.ts')
      const source = await findRestoreSource(engine, choice)
      requireReadable(source)
      for (const warning of source.warnings) output.warn(warning)
      if ('range' in where) await writeRange(engine, source, where.range, host)
      else await writeFile(engine, source, where.file, output)
    },
  })
}

/** @throws BackupError InvalidArgument */
function destinationOf({ file, range, json }: ExportOptions & { json?: boolean }): { file: string } | { range: ByteRange } {
  if ((file === undefined) === (range === undefined)) {
    throw new BackupError({ type: 'InvalidArgument', message: 'say where to: either --file PATH, or --range FIRST-LAST or OFFSET:LENGTH to stdout' })
  }
  if (file !== undefined) return { file: path.resolve(file) }
  if (json === true) {
    throw new BackupError({ type: 'InvalidArgument', message: '--range writes bytes to stdout, so it does not go with --json' })
  }
  return { range: parseByteRange('--range', range ?? '') }
}

async function writeFile(engine: Engine, source: RestoreSource, file: string, output: CommandContext['output']): Promise<void> {
  const { origin } = source
  const { exportToFile } = await import('../../engine/export-file.ts')
  const goesOn = `stopped; ${file}.partial is kept, and the same command goes on from there`
  const done = await workHere(output, goesOn, (local) =>
    exportToFile(engine, source, { ...local, path: file, onWarning: (text) => output.warn(text) }),
  )
  output.result(
    { ...done, origin, ...(origin.point && { pointId: origin.point.id }), ...(origin.takenAt !== undefined && { takenAt: origin.takenAt }) },
    [
      `${done.path} holds ${originLabel(origin)}${origin.takenAt === undefined ? '' : ` of ${formatInstant(origin.takenAt)}`}`,
      `${formatBytes(done.movedBytes)} read, ${formatBytes(done.fileBytes)} long, ` +
        `${formatBytes(done.allocatedBytes)} on disk, ${formatBytes(done.comparedBytes)} compared`,
    ].join('\n'),
  )
}

async function writeRange(engine: Engine, { content: point }: RestoreSource, range: ByteRange, { stdout }: Host): Promise<void> {
  const { readRange } = await import('../../engine/read-range.ts')
  const { requireUnchanged } = await import('../../engine/restore-source.ts')
  if (range.endBytes > point.blobBytes) {
    throw new BackupError({
      type: 'InvalidArgument',
      message: `--range ends at ${range.endBytes - 1}; the last byte of the point, its footer included, is ${point.blobBytes - 1}`,
    })
  }
  const isWhole = await abortWhenInterrupted('stopped in the middle of the range', async (signal) => {
    for await (const data of readRange(engine, point, range, signal)) if (!(await write(stdout, data))) return false
    return true
  })
  if (isWhole) await requireUnchanged(engine, point)
}

/** @returns false where `| head` has read enough. */
function write(stdout: Host['stdout'], data: Buffer): Promise<boolean> {
  return new Promise((resolve, reject) => {
    stdout.write(data, (error?: (Error & { code?: string }) | null) => {
      if (error === undefined || error === null) resolve(true)
      else if (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED') resolve(false)
      else reject(error)
    })
  })
}
