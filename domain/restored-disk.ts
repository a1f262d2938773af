/**
 * What of a disk comes back, in one place. `DiskShape` and `NetworkAccess` say what is kept; of that
 *
 * - goes into the making of the disk: SKU, OS type, generation, capabilities, plan, Entra protection; the zone in the old region;
 *   the encryption set that is asked for;
 * - is set when the disk is handed over: performance where the SKU is the old one, network access. A snapshot gets the latter alone,
 *   what will be thrown away neither;
 * - is kept by the plan beside tags of its own: tags;
 * - is told of in a warning: everything else, with its old value and what to do.
 */
import { subscriptionOf } from './arm-id.ts'
import { isSameRegion } from './region.ts'
import type { RestoreRequest, RestoreWay } from './restore-request.ts'
import { isSealedByGuest, type DiskPerformance, type DiskSettings, type DiskShape, type GuestEncryption, type NetworkAccess } from './source-disk.ts'

/** The disk that was backed up, as far as it is known. */
export interface FormerDisk {
  readonly location: string
  readonly shape: DiskShape
  readonly network?: NetworkAccess
}

export interface RestoredDisk {
  readonly shape: DiskShape
  readonly settings: DiskSettings
  readonly warnings: readonly string[]
}

type Part<Value> = readonly [value: Value | undefined, warning?: string]

export function restoredDisk(former: FormerDisk, request: RestoreRequest, way: RestoreWay): RestoredDisk {
  const { zones: _zones, securityType, encryption: _encryption, encryptionSettingsCollection, performance: _performance, tags: _tags, ...shape } = former.shape
  const { sku, osType, hyperVGeneration } = request
  const [zones, zonesWarning] = zonesFor(former, request)
  const [encryption, encryptionWarning] = encryptionFor(former, request, way)
  const [performance, performanceWarning] = performanceFor(former.shape, request)
  const [network, networkWarning] = networkFor(former, request)
  const warnings = [
    zonesWarning,
    securityType !== undefined && securityType !== 'Standard' && way !== 'source-snapshot'
      ? `the disk was of security type ${securityType}; an ${way} carries no guest state, so the new disk is Standard` +
        (isSealedByGuest(securityType) ? ', and its bytes cannot be read: their keys are in that state' : '')
      : undefined,
    encryptionWarning,
    encryptionSettingsCollection === undefined || request.isThrowAway === true || isInherited(former, request, way) ? undefined : guestEncrypted(encryptionSettingsCollection),
    performanceWarning,
    networkWarning,
  ]
  return {
    shape: {
      ...shape,
      ...(zones !== undefined && { zones }),
      ...(encryption !== undefined && { encryption }),
      ...(sku !== undefined && { sku }),
      ...(osType !== undefined && { osType }),
      ...(hyperVGeneration !== undefined && { hyperVGeneration }),
    },
    settings: { ...(network !== undefined && { network }), ...(performance !== undefined && { performance }) },
    warnings: warnings.filter((warning) => warning !== undefined),
  }
}

/** `tier P50, maxShares 2` */
export function describeSettings({ network, performance }: DiskSettings): string {
  return Object.entries({ ...performance, ...network })
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')
}

/** URLs of the secrets and keys that the operating system encrypted it with. */
export function guestKeysOf({ encryptionSettings = [] }: GuestEncryption): string[] {
  return encryptionSettings.flatMap(({ diskEncryptionKey, keyEncryptionKey }) => [diskEncryptionKey?.secretUrl, keyEncryptionKey?.keyUrl]).filter((url) => url !== undefined)
}

function zonesFor({ location, shape: { zones } }: FormerDisk, { region, zone }: RestoreRequest): Part<readonly string[]> {
  if (zone === 'none') return [undefined]
  if (zone !== undefined) return [[zone]]
  if (zones === undefined || zones.length === 0 || isSameRegion(location, region)) return [zones]
  return [undefined, `the disk was in zone ${zones.join(', ')} of ${location}; zones of another region are not the same, so the new disk is in none (--zone)`]
}

/** Azure takes the encryption of a snapshot over to what it makes of it; of a copy in another region nobody has promised that. */
function isInherited({ location }: FormerDisk, { region }: RestoreRequest, way: RestoreWay): boolean {
  return way === 'source-snapshot' && isSameRegion(location, region)
}

function encryptionFor(former: FormerDisk, request: RestoreRequest, way: RestoreWay): Part<NonNullable<DiskShape['encryption']>> {
  const { encryption } = former.shape
  const { diskEncryptionSetId, region } = request
  if (diskEncryptionSetId !== undefined) return [{ type: encryption?.type ?? 'EncryptionAtRestWithCustomerKey', diskEncryptionSetId }]
  if (encryption === undefined || request.isThrowAway === true || isInherited(former, request, way)) return [undefined]
  return [undefined, `the disk was under a key of yours (${encryption.diskEncryptionSetId}); the new one is under a key of the platform unless a set of ${region} is named (--disk-encryption-set)`]
}

function guestEncrypted(settings: GuestEncryption): string {
  return (
    `the disk was encrypted from within (Azure Disk Encryption) with ${guestKeysOf(settings).join(' and ') || 'keys that it did not name'}; the new disk does not say so. ` +
    'Keep these keys, and before a machine starts from the disk give it the encryptionSettingsCollection that "rescue show --json" tells'
  )
}

function performanceFor({ sku: formerSku, performance }: DiskShape, { sku, toSnapshotId, isThrowAway }: RestoreRequest): Part<DiskPerformance> {
  if (performance === undefined || toSnapshotId !== undefined || isThrowAway === true) return [undefined]
  if (sku === undefined || sku.toLowerCase() === formerSku?.toLowerCase()) return [performance]
  return [undefined, `the disk had ${describeSettings({ performance })} as a ${formerSku}; a ${sku} gets what comes with it`]
}

/** The private endpoints of a disk are in its region and subscription: elsewhere, what was not for every network is for none. */
function networkFor({ location, network }: FormerDisk, { region, toDiskId, isThrowAway }: RestoreRequest): Part<NetworkAccess> {
  if (network === undefined || isThrowAway === true) return [undefined]
  const { networkAccessPolicy, diskAccessId } = network
  const isReached = isSameRegion(location, region) && subscriptionOf(diskAccessId ?? '') === subscriptionOf(toDiskId ?? '')
  if (toDiskId !== undefined && (networkAccessPolicy !== 'AllowPrivate' || isReached)) return [network]
  const closed = { networkAccessPolicy: 'DenyAll', publicNetworkAccess: 'Disabled' }
  if (networkAccessPolicy === 'DenyAll') return [closed]
  return [closed, `the data of the disk was not for every network (${describeSettings({ network })}); that of what is made is for none (DenyAll) until you give it an access of its own`]
}
