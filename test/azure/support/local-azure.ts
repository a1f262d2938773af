/** A local Azure for one test file, with the product's clients and an empty target. */
import { createAzureClients, type AzureClients } from '../../../azure/clients.ts'
import type { LocalAzure, LocalAzureOptions } from '../../../simulator/azure.ts'
import { credentialOf, startForTests } from '../../simulator/local-azure-support.ts'

export interface Scene {
  readonly local: LocalAzure
  readonly azure: AzureClients
  readonly targetUrl: string
  /** Clients of another principal, who may only do what was assigned to it. */
  clientsOf(principal: string): AzureClients
  /** An ARM id in the resource group `local`. */
  idOf(type: 'disks' | 'snapshots', name: string): string
  close(): Promise<void>
}

export async function openScene(options: LocalAzureOptions = {}): Promise<Scene> {
  const local = await startForTests(options)
  const clientsOf = (principal?: string): AzureClients => createAzureClients(local, credentialOf(local, principal))
  const azure = clientsOf()
  local.createAccount({ name: 'backups' })
  local.createResourceGroup({ name: 'local' })
  const targetUrl = `${local.blobEndpoint}/backups/target`
  await azure.container(targetUrl).create()
  return {
    local,
    azure,
    targetUrl,
    clientsOf,
    idOf: (type, name) =>
      `/subscriptions/${local.subscriptionId}/resourceGroups/local/providers/Microsoft.Compute/${type}/${name}`,
    close: () => local.close(),
  }
}
