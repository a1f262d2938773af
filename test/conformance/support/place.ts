/**
 * Where the suite runs: the local Azure, started for the file, or a real subscription. A test is written against this alone,
 * so that the same lines run on both.
 */
import { DefaultAzureCredential, type TokenCredential } from '@azure/identity'
import { startLocalAzure } from '../../../simulator/azure.ts'
import { credentialOf } from '../../simulator/local-azure-support.ts'
import { certificateAuthorityDirectory } from '../../support/environment.ts'
import type { AzureSettings } from './azure-settings.ts'

export interface Place {
  readonly name: string
  readonly resourceManagerEndpoint: string
  readonly subscriptionId: string
  readonly resourceGroup: string
  /** Of disks and snapshots. */
  readonly region: string
  readonly otherRegion: string
  readonly accountUrl: string
  readonly credential: TokenCredential
  /**
   * Writes as a virtual machine does. Undefined on Azure, where it would take one: tests that need it are shown as skipped
   * there.
   */
  readonly writeDisk?: (diskId: string, offsetBytes: number, data: Buffer) => Promise<void>
  /** The same for what a machine discards (TRIM). */
  readonly clearDisk?: (diskId: string, offsetBytes: number, lengthBytes: number) => Promise<void>
  close(): Promise<void>
}

const LOCAL_GROUP = 'conformance'
const LOCAL_ACCOUNT = 'conformance'

/** A local Azure with a resource group and a storage account in the other region. */
export async function openLocalPlace(): Promise<Place> {
  const azure = await startLocalAzure({ caDir: certificateAuthorityDirectory() })
  azure.createResourceGroup({ name: LOCAL_GROUP, location: 'westeurope' })
  azure.createAccount({ name: LOCAL_ACCOUNT, region: 'northeurope' })
  return {
    name: 'the local Azure',
    resourceManagerEndpoint: azure.resourceManagerEndpoint,
    subscriptionId: azure.subscriptionId,
    resourceGroup: LOCAL_GROUP,
    region: 'westeurope',
    otherRegion: 'northeurope',
    accountUrl: `${azure.blobEndpoint}/${LOCAL_ACCOUNT}`,
    credential: credentialOf(azure),
    writeDisk: (diskId, offsetBytes, data) => azure.writeDisk(diskId, offsetBytes, data),
    clearDisk: async (diskId, offsetBytes, lengthBytes) => azure.clearDisk(diskId, offsetBytes, lengthBytes),
    close: () => azure.close(),
  }
}

/** The public cloud, as whom DefaultAzureCredential finds. */
export async function openAzurePlace(settings: AzureSettings): Promise<Place> {
  return {
    ...settings,
    name: 'Azure',
    resourceManagerEndpoint: 'https://management.azure.com',
    credential: new DefaultAzureCredential(),
    close: async () => {},
  }
}
