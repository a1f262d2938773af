/** The engine in this process, for commands that work without Temporal and without a worker. */
import type { AzureSettings } from '../azure/settings.ts'
import type { Engine } from '../engine/engine.ts'

/** Loaded late: Azure's SDKs take longer to load than most commands take to run. */
export async function createEngine(settings: AzureSettings): Promise<Engine> {
  const { createAzureClients } = await import('../azure/clients.ts')
  const { ExportAccess } = await import('../azure/export-access.ts')
  const { createPageLists } = await import('../azure/page-lists.ts')
  const { FlowControl } = await import('../engine/flow-control.ts')
  const azure = createAzureClients(settings)
  return { azure, exports: new ExportAccess(azure), pageLists: createPageLists(azure), flows: new FlowControl() }
}
