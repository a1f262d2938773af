/** What the engine needs of the process it runs in. */
import type { AzureClients } from '../azure/clients.ts'
import type { ExportAccess } from '../azure/export-access.ts'
import type { PageLists } from '../azure/page-lists.ts'
import type { FlowControl } from './flow-control.ts'

export interface Engine {
  readonly azure: AzureClients
  readonly exports: ExportAccess
  readonly pageLists: PageLists
  readonly flows: FlowControl
}
