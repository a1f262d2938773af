import { z } from 'zod'
import type { BlobService } from '../blob-service/blob-service.ts'
import type { BlobLimits } from '../blob-service/limits.ts'
import type { Account } from '../blob-service/model/account.ts'
import { accountUsage, type BlobUsage } from '../blob-service/usage.ts'
import { ArmError, invalidParameter } from '../compute/arm-error.ts'
import { normalLocation } from '../compute/regions.ts'
import { formatResourceGroupId } from '../compute/resource-id.ts'

/** Storage accounts and containers by the control API. Blobs are made through the blob service alone. */

export const accountSpecSchema = z.strictObject({
  /** 3 to 24 lower-case letters and digits, as Azure demands. */
  name: z.string().regex(/^[a-z0-9]{3,24}$/),
  kind: z.enum(['StorageV2', 'BlobStorage', 'FileStorage', 'BlockBlobStorage']).default('StorageV2'),
  sku: z
    .enum([
      'Standard_LRS',
      'Standard_GRS',
      'Standard_RAGRS',
      'Standard_ZRS',
      'Standard_GZRS',
      'Standard_RAGZRS',
      'Premium_LRS',
      'Premium_ZRS',
    ])
    .default('Standard_LRS'),
  /** Hierarchical namespace (Data Lake Storage): no page blobs. */
  isHnsEnabled: z.boolean().default(false),
  region: z.string().default('northeurope'),
  /** Default: the local Azure's own. */
  subscriptionId: z.string().optional(),
  /** Part of the id that roles are assigned at; it need not exist. */
  resourceGroup: z.string().default('local'),
  /** Base64; made when it is not given. */
  key: z.base64().optional(),
})

export type AccountSpec = z.input<typeof accountSpecSchema>

export interface CreatedAccount {
  readonly name: string
  /** ARM id: the scope of role assignments. */
  readonly id: string
  /** Base64, for SharedKey and for signing SAS. */
  readonly key: string
}

export interface AccountControl {
  /** A second account of a name takes the place of the first. @throws ZodError for a name or kind that is none. */
  createAccount(spec: AccountSpec): CreatedAccount
  hasAccount(name: string): boolean
  /** With all its blobs. Twice is fine. */
  deleteAccount(name: string): void
  /** Twice is fine. @throws ArmError 404 when `createAccount` made no such account, 400 for a name that is none. */
  createContainer(account: string, name: string): void
  /** What every blob of an account takes up, with its snapshots. @throws ArmError 404 when there is no such account. */
  storageUsage(account: string): BlobUsage[]
  /**
   * Damages one byte of a page blob, or of a snapshot of it, where it lies: what shares the page is damaged with it, and no
   * list, diff or ETag tells. @throws ArmError 404 where there is no such blob, or nothing is allocated there.
   */
  rotBlob(place: RottenPlace): Promise<void>
  blobLimits(): BlobLimits
  /** @throws ZodError for a limit that does not exist, or a value that is none. */
  changeBlobLimits(change: Partial<BlobLimits>): BlobLimits
}

export interface RottenPlace {
  readonly account: string
  readonly container: string
  readonly blob: string
  /** Default: the blob itself. */
  readonly snapshot?: string | undefined
  readonly offsetBytes: number
  /** Bits to invert; default the lowest one. */
  readonly mask?: number | undefined
}

export interface AccountControlOptions {
  readonly blobs: BlobService
  readonly subscriptionId: string
}

const CONTAINER_NAME = /^(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*$/

export function createAccountControl(options: AccountControlOptions): AccountControl {
  const { blobs } = options
  const requireAccount = (name: string): Account => {
    const account = blobs.account(name)
    if (account === undefined) throw new ArmError(404, 'ResourceNotFound', `Account '${name}' was not found.`)
    return account
  }
  return {
    createAccount(spec) {
      const { key, subscriptionId, resourceGroup, ...rest } = accountSpecSchema.parse(spec)
      const group = formatResourceGroupId({ subscriptionId: subscriptionId ?? options.subscriptionId, resourceGroup })
      const resourceId = `${group}/providers/Microsoft.Storage/storageAccounts/${rest.name}`
      const settings = { ...rest, region: normalLocation(rest.region), resourceId }
      const account = blobs.createAccount(key === undefined ? settings : { ...settings, key })
      return { name: account.name, id: resourceId, key: account.key.toString('base64') }
    },
    hasAccount: (name) => blobs.account(name) !== undefined,
    deleteAccount(name) {
      blobs.deleteAccount(name)
    },
    createContainer(accountName, name) {
      const account = requireAccount(accountName)
      if (!CONTAINER_NAME.test(name)) throw invalidParameter('container')
      blobs.createContainer(account, name)
    },
    async rotBlob({ account, container, blob, snapshot, offsetBytes, mask = 1 }) {
      const found = requireAccount(account).containers.get(container)?.blob(blob)
      const state = snapshot === undefined ? found?.base : found?.snapshots.get(snapshot)
      const hasRotten = state?.type === 'PageBlob' && 'rot' in state.pages && (await state.pages.rot(offsetBytes, mask))
      if (!hasRotten) throw new ArmError(404, 'ResourceNotFound', `Nothing is allocated at ${offsetBytes} of '${blob}'.`)
    },
    storageUsage(name) {
      blobs.settleCopies()
      return accountUsage(requireAccount(name))
    },
    blobLimits: () => blobs.limits(),
    changeBlobLimits: (change) => blobs.changeLimits(change),
  }
}
