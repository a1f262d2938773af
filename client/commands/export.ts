/**
 * `restore export` and `rescue export`: a recovery point as a VHD file on this machine, or a range of its bytes on stdout.
 * Needs the target and nothing else.
 */
import path from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Command } from 'commander'
import type { ByteRange } from '../../domain/byte-range.ts'
import { BackupError } from '../../domain/failures.ts'
import type { Manifest } from '../../domain/manifest.ts'
import type { Engine } from '../../engine/engine.ts'
import { parseByteRange } from '../arguments.ts'
import { defineCommand, type CommandContext, type Host } from '../command.ts'
import { createEngine } from '../engine.ts'
import { formatBytes, formatInstant } from '../format.ts'
import { pointChoiceOf, withPointOptions, type PointOptions } from '../point-choice.ts'
import { workHere } from '../work-here.ts'

interface ExportOptions extends PointOptions {
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
      withPointOptions(command)
        .option('--file <path>', 'the VHD file to make; one that exists is not overwritten')
        .option('--range <start-end>', 'instead of --file: these bytes of the disk to stdout, first and last inclusive'),
    run: async ({ output, load }, options) => {
      const choice = pointChoiceOf(options)
      const where = destinationOf(options)
      const { settings } = await load()
      const engine = await createEngine(settings.azure)
      const { choosePoint } = await import('../../engine/choose-point.ts')
      const manifest = await choosePoint(engine, choice)
      if ('range' in where) await writeRange(engine, choice.targetUrl, manifest, where.range, host)
      else await writeFile(engine, choice.targetUrl, manifest, where.file, output)
    },
  })
}

/** @throws BackupError InvalidArgument */
function destinationOf({ file, range, json }: ExportOptions & { json?: boolean }): { file: string } | { range: ByteRange } {
  if ((file === undefined) === (range === undefined)) {
    throw new BackupError({ type: 'InvalidArgument', message: 'say where to: either --file PATH, or --range START-END to stdout' })
  }
  if (file !== undefined) return { file: path.resolve(file) }
  if (json === true) {
    throw new BackupError({ type: 'InvalidArgument', message: '--range writes bytes to stdout, so it does not go with --json' })
  }
  return { range: parseByteRange('--range', range ?? '') }
}

async function writeFile(
  engine: Engine,
  targetUrl: string,
  manifest: Manifest,
  file: string,
  output: CommandContext['output'],
): Promise<void> {
  const { exportToFile } = await import('../../engine/export-file.ts')
  const goesOn = `stopped; ${file}.partial is kept, and the same command goes on from there`
  const done = await workHere(output, goesOn, (local) =>
    exportToFile(engine, manifest, { ...local, targetUrl, path: file, onWarning: (text) => output.warn(text) }),
  )
  output.result(
    { ...done, pointId: manifest.id, takenAt: manifest.takenAt },
    [
      `${done.path} holds point ${manifest.id} of ${formatInstant(manifest.takenAt)}`,
      `${formatBytes(done.movedBytes)} read, ${formatBytes(done.fileBytes)} long, ` +
        `${formatBytes(done.allocatedBytes)} on disk, ${formatBytes(done.comparedBytes)} compared`,
    ].join('\n'),
  )
}

async function writeRange(engine: Engine, targetUrl: string, manifest: Manifest, range: ByteRange, { stdout }: Host): Promise<void> {
  const { readRange } = await import('../../engine/read-range.ts')
  const { pointContentOf } = await import('../../engine/restore-job.ts')
  const point = pointContentOf(targetUrl, manifest)
  if (range.endBytes > point.blobBytes) {
    throw new BackupError({
      type: 'InvalidArgument',
      message: `--range ends at ${range.endBytes - 1}; the last byte of the point, its footer included, is ${point.blobBytes - 1}`,
    })
  }
  await pipeline(Readable.from(readRange(engine, point, range)), stdout, { end: false })
}
