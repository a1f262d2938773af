/**
 * Checks, before anything is made, that backups can be kept in a target: what kind of account it is, and that we may
 * write to it.
 */
import type { ContainerClient } from '@azure/storage-blob'
import { BackupError, isFailure } from '../domain/failures.ts'
import { TARGET_MARKER_NAME } from '../domain/names.ts'
import { parseTargetUrl } from '../domain/target-url.ts'
import { BLOB_WRITE } from './actions.ts'
import { callStorage, PATIENT, type StorageCall } from './call.ts'
import type { AzureClients } from './clients.ts'

export interface TargetAccount {
  readonly accountKind?: string
  readonly sku?: string
}

interface AccountInfo extends TargetAccount {
  readonly isHierarchicalNamespaceEnabled?: boolean
}

/** Constant, so that writing it again changes nothing. */
const MARKER = `${JSON.stringify({ format: 1, layout: 'snapferry', about: 'Azure disk backups' }, null, 2)}\n`

/**
 * Twice is fine: the marker blob overwrites itself.
 * @returns what is known of the account; nothing where the identity may not ask for it, see `accountInfoOf`.
 * @throws BackupError TargetNotFound | TargetNotSupported | AccessDenied, which names the right that is missing.
 */
export async function checkTarget(
  azure: AzureClients,
  targetUrl: string,
  signal?: AbortSignal,
): Promise<TargetAccount> {
  const info = await accountInfoOf(azure, targetUrl, signal)
  const fault = findFault(info)
  if (fault !== undefined) {
    throw new BackupError({
      type: 'TargetNotSupported',
      message: `target ${targetUrl} cannot hold backups: ${fault}; use a standard general-purpose v2 account`,
      facts: { targetUrl, accountKind: info.accountKind, sku: info.sku },
    })
  }
  await writeMarker(azure.container(targetUrl), targetUrl, signal)
  return {
    ...(info.accountKind === undefined ? {} : { accountKind: info.accountKind }),
    ...(info.sku === undefined ? {} : { sku: info.sku }),
  }
}

/** What is not said is not held against the account. */
function findFault({ accountKind, sku, isHierarchicalNamespaceEnabled }: AccountInfo): string | undefined {
  if (isHierarchicalNamespaceEnabled === true) return 'it has a hierarchical namespace, which knows no page blobs'
  if (/^premium/i.test(sku ?? ''))
    return `it is premium (${sku}), where a page blob has at most 100 snapshots and none can be read`
  if (accountKind !== undefined && !/^storagev2$/i.test(accountKind)) return `its kind is ${accountKind}`
  return undefined
}

/**
 * Asks the account, and where that is refused the container. Where both are, we go on without: the data roles that a
 * backup needs do not include Get Account Information, and an account of the wrong kind refuses the first page blob by
 * itself.
 */
async function accountInfoOf(
  azure: AzureClients,
  targetUrl: string,
  signal: AbortSignal | undefined,
): Promise<AccountInfo> {
  const call = callOf('read the account of', targetUrl, signal)
  const askers = [azure.blobService(targetUrl), azure.container(targetUrl)]
  for (const asker of askers) {
    try {
      const answer = await callStorage(call, (abortSignal) => asker.getAccountInfo({ abortSignal }))
      const { accountKind, skuName, isHierarchicalNamespaceEnabled } = answer
      return {
        ...(accountKind === undefined ? {} : { accountKind }),
        ...(skuName === undefined ? {} : { sku: skuName }),
        ...(isHierarchicalNamespaceEnabled === undefined ? {} : { isHierarchicalNamespaceEnabled }),
      }
    } catch (error) {
      if (isUnknownHost(error)) throw unknownAccount(targetUrl, error)
      // Some services answer a question that they do not know by 400, 404 or 501; the marker then tells what is really
      // wrong.
      const mayGoOn =
        isFailure(error, 'AccessDenied', 'AzureRefused', 'TargetNotFound') ||
        (isFailure(error) && error.facts['status'] === 501)
      if (!mayGoOn) throw error
    }
  }
  return {}
}

async function writeMarker(
  container: ContainerClient,
  targetUrl: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  await callStorage({ ...callOf('write to', targetUrl, signal), action: BLOB_WRITE }, (abortSignal) =>
    container.getBlockBlobClient(TARGET_MARKER_NAME).upload(MARKER, Buffer.byteLength(MARKER), {
      abortSignal,
      blobHTTPHeaders: { blobContentType: 'application/json' },
    }),
  )
}

function callOf(doing: string, targetUrl: string, signal: AbortSignal | undefined): StorageCall {
  const { account, container } = parseTargetUrl(targetUrl)
  return {
    doing,
    on: `target ${targetUrl}`,
    notFound: 'TargetNotFound',
    retry: PATIENT,
    signal,
    facts: { account, container },
  }
}

/** An account has a host of its own: where the host is unknown, so is the account. */
function isUnknownHost(error: unknown): error is BackupError {
  return isFailure(error, 'AzureUnavailable') && error.facts['code'] === 'ENOTFOUND'
}

function unknownAccount(targetUrl: string, cause: BackupError): BackupError {
  const { account } = parseTargetUrl(targetUrl)
  return new BackupError({
    type: 'TargetNotFound',
    message:
      `target ${targetUrl} is not there: no storage account ${account} is known by name; ` +
      'correct the target, or create the account',
    facts: { targetUrl, account },
    cause,
  })
}
