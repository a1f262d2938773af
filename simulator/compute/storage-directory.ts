import type { BlobService } from '../blob-service/blob-service.ts'
import type { Account } from '../blob-service/model/account.ts'
import { isVolume } from '../blob-service/model/blob.ts'
import type { FrozenVolume } from '../store/volume.ts'

/** What the resource manager knows of storage: the accounts, and the page blobs that disks are imported from. */
export interface StorageDirectory {
  accounts(): Iterable<Account>
  find(accountName: string): Account | undefined
  /** With all its blobs. Twice is fine. */
  delete(accountName: string): void
  /** The present content of a base page blob; undefined when there is none at the URL. */
  pageBlobAt(url: URL): StoredPageBlob | undefined
}

export interface StoredPageBlob {
  readonly account: Account
  readonly content: FrozenVolume
}

/** A view of the blob service, always of its present state. `baseUrl` is where accounts are, path style. */
export function createStorageDirectory(blobs: BlobService, baseUrl: () => string): StorageDirectory {
  return {
    accounts: () => blobs.accounts.values(),
    find: (accountName) => blobs.accounts.get(accountName),
    delete: (accountName) => blobs.deleteAccount(accountName),
    pageBlobAt(url) {
      blobs.settleCopies()
      const path = decodedPath(url)
      if (url.origin !== new URL(baseUrl()).origin || path === undefined) return undefined
      const [accountName = '', containerName = '', ...blobPath] = path.slice(1).split('/')
      const account = blobs.accounts.get(accountName)
      const state = account?.containers.get(containerName)?.blob(blobPath.join('/'))?.base
      if (account === undefined || state?.type !== 'PageBlob' || !isVolume(state.pages)) return undefined
      return { account, content: state.pages.freeze() }
    },
  }
}

function decodedPath(url: URL): string | undefined {
  try {
    return decodeURIComponent(url.pathname)
  } catch {
    return undefined
  }
}
