import { ArmError } from './arm-error.ts'

/**
 * The regions of the local Azure: which exist and which have availability zones, thus zone-redundant snapshots.
 * A selection of the public list (learn.microsoft.com/azure/reliability/regions-list), not the whole.
 */

export interface Region {
  readonly name: string
  readonly hasZones: boolean
}

const WITH_ZONES = [
  'australiaeast', 'brazilsouth', 'canadacentral', 'centralindia', 'centralus', 'eastasia', 'eastus', 'eastus2',
  'francecentral', 'germanywestcentral', 'japaneast', 'koreacentral', 'northeurope', 'norwayeast', 'southafricanorth',
  'southcentralus', 'southeastasia', 'swedencentral', 'switzerlandnorth', 'uaenorth', 'uksouth', 'westeurope',
  'westus2', 'westus3',
] as const
const WITHOUT_ZONES = [
  'australiasoutheast', 'canadaeast', 'francesouth', 'germanynorth', 'japanwest', 'northcentralus', 'norwaywest',
  'southindia', 'switzerlandwest', 'ukwest', 'westcentralus', 'westus',
] as const

const REGIONS = new Map<string, Region>([
  ...WITH_ZONES.map((name) => [name, { name, hasZones: true }] as const),
  ...WITHOUT_ZONES.map((name) => [name, { name, hasZones: false }] as const),
])

/** `West Europe` and `westeurope` are the same place; the second is what resources show. */
export function normalLocation(location: string): string {
  return location.replaceAll(' ', '').toLowerCase()
}

/** @throws ArmError 400 LocationNotAvailableForResourceType for a region that is not in the table. */
export function requireRegion(location: string): Region {
  const region = REGIONS.get(normalLocation(location))
  if (region !== undefined) return region
  throw new ArmError(
    400,
    'LocationNotAvailableForResourceType',
    `The provided location '${location}' is not available for resource type 'Microsoft.Compute'. ` +
      `List of available regions for the resource type is '${[...REGIONS.keys()].join(',')}'.`,
  )
}
