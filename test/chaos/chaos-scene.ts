/** One local Azure for many histories, each in a lane of its own: a disk and two targets whose names carry the lane's word. */
import { createAzureClients, type AzureClients } from '../../azure/clients.ts'
import { ExportAccess } from '../../azure/export-access.ts'
import { createPageLists } from '../../azure/page-lists.ts'
import { FlowControl } from '../../engine/flow-control.ts'
import type { Engine } from '../../engine/engine.ts'
import type { LocalAzure } from '../../simulator/azure.ts'
import { credentialOf, startForTests } from '../simulator/local-azure-support.ts'
import { createTripwires, type Tripwires } from './tripwires.ts'

export interface ChaosScene {
  readonly azure: LocalAzure
  readonly clients: AzureClients
  readonly tripwires: Tripwires
  startProcess(): Engine
  openLane(): Promise<Lane>
  close(): Promise<void>
}

export interface Lane {
  readonly name: string
  readonly diskId: string
  readonly resourceGroup: string
  readonly targetUrls: readonly string[]
  createDisk(sizeGib: number, extraMib?: number): void
  /** Deletes its resources: memory stays flat over thousands of histories. */
  close(): Promise<void>
}

const TARGETS = 2

export async function openChaosScene(): Promise<ChaosScene> {
  const tripwires = createTripwires()
  const azure = await startForTests({ blobHooks: tripwires.blobHooks, beforeOperation: tripwires.beforeOperation })
  azure.createAccount({ name: 'backups', region: 'northeurope' })
  const clients = createAzureClients(azure, credentialOf(azure))
  let lanes = 0
  return {
    azure,
    clients,
    tripwires,
    startProcess: () => ({ azure: clients, exports: new ExportAccess(clients), pageLists: createPageLists(clients), flows: new FlowControl() }),
    async openLane() {
      const name = `lane${lanes++}x`
      const targetUrls = Array.from({ length: TARGETS }, (_, index) => `${azure.blobEndpoint}/backups/${name}-${index}`)
      for (const url of targetUrls) await clients.container(url).create()
      // A group of its own, as a run lists the snapshots of its group.
      const resourceGroup = `${name}-group`
      const diskId = `/subscriptions/${azure.subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.Compute/disks/${name}`
      return {
        name,
        diskId,
        resourceGroup,
        targetUrls,
        createDisk: (sizeGib, extraMib) => void azure.createDisk({ name, sizeGib, extraMib, resourceGroup }),
        async close() {
          tripwires.set(name, undefined)
          for await (const { id } of clients.compute(azure.subscriptionId).snapshots.listByResourceGroup(resourceGroup)) azure.deleteSnapshot(id ?? '')
          azure.deleteDisk(diskId)
          for (const url of targetUrls) await clients.container(url).delete()
        },
      }
    },
    close: () => azure.close(),
  }
}
