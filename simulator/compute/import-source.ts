import type { FrozenVolume } from '../store/volume.ts'
import { ArmError, invalidParameter, notSupportedHere } from './arm-error.ts'
import type { ComputeState } from './compute-state.ts'
import { MIB } from './disk-model.ts'
import { normalLocation } from './regions.ts'
import type { CreationData } from './request-bodies.ts'
import { hasVhdCookie, VHD_FOOTER_BYTES } from './vhd-footer.ts'

/**
 * The source of `createOption: Import`: a page blob that is a fixed VHD, in a storage account of the same region.
 *
 * A snapshot of a blob is refused: the documentation of Azure says both that it can be imported and that it cannot.
 */

/**
 * The blob as it is now, its footer included.
 * @throws ArmError 400 InvalidParameter for an account of another region or not the one named, a blob that is not
 * there or is no page blob, or a length that no VHD has.
 */
export function requireImportSource(state: ComputeState, creationData: CreationData, location: string): FrozenVolume {
  const { sourceUri, storageAccountId } = creationData
  if (sourceUri === undefined || !URL.canParse(sourceUri)) throw invalidParameter('creationData.sourceUri')
  // In Azure's words: github.com/ansible-collections/azure/issues/394.
  if (storageAccountId === undefined) {
    throw new ArmError(400, 'InvalidParameter', "Required parameter 'storageAccountId' is missing (null).")
  }
  const url = new URL(sourceUri)
  if (url.searchParams.has('snapshot')) throw notSupportedHere('Importing a snapshot of a blob')
  const blob = state.storage.pageBlobAt(url)
  if (blob === undefined) throw invalidParameter('creationData.sourceUri', 'There is no page blob at it.')
  const { account, content } = blob
  if (account.resourceId.toLowerCase() !== storageAccountId.toLowerCase()) {
    throw invalidParameter('creationData.storageAccountId', `The blob is in account '${account.resourceId}'.`)
  }
  if (account.region !== normalLocation(location)) {
    throw invalidParameter('location', `The storage account is in '${account.region}'; a disk must be in its region.`)
  }
  const contentBytes = content.sizeBytes - VHD_FOOTER_BYTES
  if (contentBytes < MIB || contentBytes % MIB !== 0) {
    throw invalidParameter('creationData.sourceUri', 'The blob must be a multiple of 1 MiB plus 512 bytes long.')
  }
  return content
}

/** Throws what `requireImportSource` throws, and 400 BadRequest for a blob that does not end with a VHD footer. */
export async function checkImportSource(
  state: ComputeState,
  creationData: CreationData,
  location: string,
): Promise<void> {
  if (creationData.createOption !== 'Import') return
  const content = requireImportSource(state, creationData, location)
  if (hasVhdCookie(await content.read(content.sizeBytes - VHD_FOOTER_BYTES, VHD_FOOTER_BYTES))) return
  // In Azure's words: github.com/Azure/azure-sdk-for-net/issues/24959.
  throw new ArmError(400, 'BadRequest', "Disk is expected to have cookie value 'conectix'.")
}
