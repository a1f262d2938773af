/** `snapferry restore swap`: a restored disk in the place of one that a virtual machine has. Needs neither Temporal nor a worker. */
import type { Command } from 'commander'
import { parseArmId, parseVmId } from '../../domain/arm-id.ts'
import { defineCommand, type Host } from '../command.ts'
import { canAsk, confirm } from '../confirm.ts'
import { createEngine } from '../engine.ts'

interface SwapOptions {
  readonly vm: string
  readonly disk: string
  readonly with: string
  readonly yes?: boolean
}

export function registerRestoreSwapCommand(restore: Command, host: Host): void {
  defineCommand<SwapOptions>(restore, host, {
    usage: 'swap',
    summary: 'put a restored disk in the place of a disk of a virtual machine; the old one is detached and kept',
    examples: ['restore swap --vm /subscriptions/…/virtualMachines/web --disk web-data --with /subscriptions/…/disks/web-data-restored'],
    configure: (command) =>
      command
        .requiredOption('--vm <id>', 'resource id of the virtual machine')
        .requiredOption('--disk <name>', 'name or resource id of the disk that it has')
        .requiredOption('--with <id>', 'resource id of the restored disk')
        .option('--yes', 'do not ask first (without a terminal nobody is asked)'),
    run: async ({ output, load }, options) => {
      const request = { vmId: parseVmId(options.vm).id, disk: options.disk, newDiskId: parseArmId(options.with, 'disks').id }
      const engine = await createEngine((await load()).settings.azure)
      const { planSwap, swapDisk } = await import('../../engine/swap-disk.ts')
      const plan = await planSwap(engine, request)
      const { old, newDiskId, vmId, isDone } = plan
      if (!isDone) {
        const place = old.role === 'os' ? 'OS disk' : `data disk at LUN ${old.lun ?? '?'}`
        output.note(`${vmId}\n${place}: ${old.diskId} goes, and is kept; ${newDiskId} comes`)
        if (!plan.isDeallocated) output.warn('the machine is not deallocated: unmount what is on the disk first')
        if (options.yes !== true && canAsk(host)) await confirm(host, 'swap them?')
        await swapDisk(engine, plan)
      }
      const result = { vmId, newDiskId, ...(!isDone && { oldDiskId: old.diskId }), isDone: true }
      output.result(result, isDone ? `${vmId} has ${newDiskId} already` : `${vmId} has ${newDiskId} now; ${old.diskId} is kept`)
    },
  })
}
