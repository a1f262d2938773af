/** The options of everything that restores to a new disk: `restore run`, `restore plan` and `rescue restore`. */
import type { Command } from 'commander'
import { parseArmId } from '../domain/arm-id.ts'
import type { RestoreDiskInput } from '../workflows/messages.ts'
import { requireRegion, requireZone } from './arguments.ts'
import { pointChoiceOf, withPointOptions, type PointOptions } from './point-choice.ts'

export interface RestoreOptions extends PointOptions {
  readonly toDisk: string
  readonly region: string
  readonly sku?: string
  readonly zone?: string
}

export function withRestoreOptions(command: Command): Command {
  return withPointOptions(command)
    .requiredOption('--to-disk <id>', 'resource id of the disk to make')
    .requiredOption('--region <name>', 'region of the disk to make')
    .option('--sku <name>', 'SKU of the disk to make (default: that of the source disk)')
    .option('--zone <number>', 'availability zone of the disk to make (default: none)')
}

/**
 * Checks all arguments before anything is started.
 *
 * @throws BackupError InvalidArgument | InvalidResourceId | InvalidTarget
 */
export function restoreInputOf(options: RestoreOptions): RestoreDiskInput {
  const { sku, zone } = options
  return {
    ...pointChoiceOf(options),
    toDiskId: parseArmId(options.toDisk, 'disks').id,
    region: requireRegion('--region', options.region),
    ...(sku !== undefined && { sku }),
    ...(zone !== undefined && { zone: requireZone('--zone', zone) }),
  }
}
