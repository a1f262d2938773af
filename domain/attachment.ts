/** How a disk is attached to a virtual machine, and what attaches the restored ones of it in the same way. */

export interface DiskAttachment {
  readonly vmId: string
  readonly role: 'os' | 'data'
  readonly lun?: number
  readonly caching?: string
  readonly osType?: string
  readonly writeAccelerator?: boolean
}

export interface AttachableDisk {
  readonly resourceId: string
  readonly attachment?: DiskAttachment
}

/** As in `properties.storageProfile` of a virtual machine (Compute REST API). */
export interface StorageProfile {
  readonly osDisk?: Readonly<Record<string, unknown>>
  readonly dataDisks: readonly Readonly<Record<string, unknown>>[]
}

/** What only one disk of a machine can be; undefined: it is not known. */
export function describePlace({ role, lun }: DiskAttachment): string | undefined {
  if (role === 'os') return 'the OS disk'
  return lun === undefined ? undefined : `LUN ${lun}`
}

/** A disk of which nothing is known, or whose LUN another one has, gets the next free LUN. */
export function storageProfileOf(disks: readonly AttachableDisk[]): StorageProfile {
  const taken = new Set(disks.map(({ attachment }) => attachment?.lun))
  const nextFreeLun = (): number => {
    let lun = 0
    while (taken.has(lun)) lun += 1
    taken.add(lun)
    return lun
  }
  const given = new Set<number>()
  const lunOf = ({ attachment }: AttachableDisk): number => {
    const lun = attachment?.lun
    if (lun === undefined || given.has(lun)) return nextFreeLun()
    given.add(lun)
    return lun
  }
  const os = disks.find(({ attachment }) => attachment?.role === 'os')
  const dataDisks = disks
    .filter((disk) => disk !== os)
    .map((disk) => ({ lun: lunOf(disk), ...attachedAs(disk) }))
    .sort((a, b) => a.lun - b.lun)
  return {
    ...(os !== undefined && { osDisk: { ...(os.attachment?.osType !== undefined && { osType: os.attachment.osType }), ...attachedAs(os) } }),
    dataDisks,
  }
}

function attachedAs({ resourceId, attachment }: AttachableDisk): Record<string, unknown> {
  const { caching, writeAccelerator } = attachment ?? {}
  return {
    createOption: 'Attach',
    ...(caching !== undefined && { caching }),
    ...(writeAccelerator === true && { writeAcceleratorEnabled: true }),
    managedDisk: { id: resourceId },
  }
}

/** A variable for a Bicep file, to be given to a virtual machine as its `storageProfile`. */
export function bicepOf(profile: StorageProfile): string {
  return `// properties: { storageProfile: storageProfile } of a Microsoft.Compute/virtualMachines\nvar storageProfile = ${bicepValue(profile, '')}\n`
}

function bicepValue(value: unknown, indent: string): string {
  const inner = `${indent}  `
  if (Array.isArray(value)) return value.length === 0 ? '[]' : `[\n${value.map((item) => `${inner}${bicepValue(item, inner)}`).join('\n')}\n${indent}]`
  if (typeof value === 'object' && value !== null) {
    return `{\n${Object.entries(value).map(([key, field]) => `${inner}${key}: ${bicepValue(field, inner)}`).join('\n')}\n${indent}}`
  }
  return typeof value === 'string' ? `'${value.replace(/\\/g, '\\\\').replace(/'/g, "\\'").replace(/\$\{/g, '\\${')}'` : String(value)
}
