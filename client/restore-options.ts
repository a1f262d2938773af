/** The options of everything that restores into Azure: `restore run`, `restore plan` and `rescue restore`. */
import { Option, type Command } from 'commander'
import { parseArmId, parseEncryptionSetId } from '../domain/arm-id.ts'
import { BackupError } from '../domain/failures.ts'
import type { RestoreWay } from '../domain/restore-request.ts'
import type { RestoreDiskInput } from '../workflows/messages.ts'
import { requireRegion, requireZone } from './arguments.ts'
import { sourceChoiceOf, withSourceOptions, type SourceOptions } from './point-choice.ts'

/** How the bytes get there, and what kind of disk they get into. */
export interface WayOptions {
  readonly region: string
  readonly sku?: string
  readonly zone?: string
  readonly diskEncryptionSet?: string
  readonly sourceSnapshot?: boolean
  readonly import?: boolean
  readonly storageAccountId?: string
}

export interface RestoreOptions extends SourceOptions, WayOptions {
  readonly toDisk?: string
  readonly toSnapshot?: string
  readonly as?: 'snapshot' | 'incremental-snapshot'
  readonly osType?: string
  readonly generation?: string
}

export function withWayOptions(command: Command): Command {
  return command
    .requiredOption('--region <name>', 'region of what is made')
    .option('--sku <name>', 'SKU of the disk (default: that of the source disk)')
    .option('--zone <zone>', 'availability zone of the disk, or none (default: that of the source disk in its region, else none)')
    .option('--disk-encryption-set <id>', 'resource id of a disk encryption set: the disk is made under its key (default: a key of the platform; with --source-snapshot, that of the snapshot)')
    .option('--source-snapshot', 'fast: Azure makes the disk from the source snapshot, in its region and while it lives')
    .option('--import', 'Azure imports a temporary copy of the page blob, in the region of the storage account')
    .option('--storage-account-id <id>', 'with --import: resource id of the storage account of the target')
}

export function withRestoreOptions(command: Command): Command {
  return withWayOptions(
    withSourceOptions(command)
      .option('--to-disk <id>', 'resource id of the disk to make')
      .option('--to-snapshot <id>', 'instead of --to-disk: resource id of the snapshot to make, of a temporary disk')
      .addOption(
        new Option('--as <kind>', 'with --to-snapshot: which kind (default: snapshot, a full one)').choices(['snapshot', 'incremental-snapshot']),
      ),
  )
    .addOption(new Option('--os-type <type>', 'operating system of the disk (default: that of the source disk)').choices(['Linux', 'Windows']))
    .addOption(new Option('--generation <V>', 'VM generation of the disk (default: that of the source disk)').choices(['V1', 'V2']))
}

/**
 * Checks all arguments before anything is started.
 *
 * @throws BackupError InvalidArgument | InvalidResourceId | InvalidTarget
 */
export function restoreInputOf(options: RestoreOptions): RestoreDiskInput {
  const { toDisk, toSnapshot, as, osType, generation } = options
  if ((toDisk === undefined) === (toSnapshot === undefined)) throw invalid('say what to make: either --to-disk ID, or --to-snapshot ID')
  if (as !== undefined && toSnapshot === undefined) throw invalid('--as goes with --to-snapshot')
  return {
    ...sourceChoiceOf(options),
    ...wayOf(options),
    ...(toDisk !== undefined && { toDiskId: parseArmId(toDisk, 'disks').id }),
    ...(toSnapshot !== undefined && { toSnapshotId: parseArmId(toSnapshot, 'snapshots').id, isIncremental: as === 'incremental-snapshot' }),
    ...(osType !== undefined && { osType }),
    ...(generation !== undefined && { hyperVGeneration: generation }),
  }
}

/** @throws BackupError InvalidArgument */
export function wayOf(options: WayOptions): Pick<RestoreDiskInput, 'region' | 'sku' | 'zone' | 'diskEncryptionSetId' | 'way' | 'storageAccountId'> {
  const { region, sku, zone, diskEncryptionSet, sourceSnapshot = false, import: isImport = false, storageAccountId } = options
  if (sourceSnapshot && isImport) throw invalid('--source-snapshot and --import are two ways; name one')
  if (isImport !== (storageAccountId !== undefined)) throw invalid('--import and --storage-account-id go together')
  // Where none is named, the point decides: a copied one becomes a disk at once where it lies.
  const way: RestoreWay | undefined = sourceSnapshot ? 'source-snapshot' : isImport ? 'import' : undefined
  return {
    region: requireRegion('--region', region),
    ...(way !== undefined && { way }),
    ...(sku !== undefined && { sku }),
    ...(zone !== undefined && { zone: requireZone('--zone', zone) }),
    ...(diskEncryptionSet !== undefined && { diskEncryptionSetId: parseEncryptionSetId(diskEncryptionSet).id }),
    ...(storageAccountId !== undefined && { storageAccountId: storageAccountId.trim() }),
  }
}

/** The disk or snapshot that a restore makes. */
export function toIdOf({ toDiskId, toSnapshotId }: RestoreDiskInput): string {
  return toSnapshotId ?? toDiskId ?? ''
}

function invalid(message: string): BackupError {
  return new BackupError({ type: 'InvalidArgument', message })
}
