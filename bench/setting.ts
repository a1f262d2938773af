/**
 * What a measure is taken on: a local Azure of its own in a child process, written as a virtual machine would, a worker in
 * another, and the engine in this process for what no workflow is needed for.
 */
import { join } from 'node:path'
import { Client, Connection } from '@temporalio/client'
import { createAzureClients } from '../azure/clients.ts'
import { deleteDisk, getDisk } from '../azure/disks.ts'
import { ExportAccess } from '../azure/export-access.ts'
import { createPageLists } from '../azure/page-lists.ts'
import { createIncrementalSnapshot } from '../azure/snapshots.ts'
import { loadSettings } from '../config/settings.ts'
import { connectLocalAzure, type LocalAzure } from '../demo/local-azure.ts'
import { backupWorkflowId, restoreWorkflowId } from '../domain/names.ts'
import { DEFAULT_OPTIONS, type BackupOptions } from '../domain/policy.ts'
import type { RecoveryPoint } from '../domain/recovery-point.ts'
import { sourceSnapshotTags } from '../domain/tags.ts'
import type { Engine } from '../engine/engine.ts'
import { FlowControl } from '../engine/flow-control.ts'
import type { backupDisk, restoreDisk } from '../workflows/index.ts'
import { taskQueuesOf, type BackupDiskResult } from '../workflows/messages.ts'
import { startAzureChild, type AzureChild } from './azure-child.ts'
import { credentialOf } from './identity.ts'
import { readRunHistory, type RunHistory } from './run-history.ts'
import { startWorkerChild, type WorkerChild } from './worker-child.ts'

const REGION = 'westeurope'

export interface MeasuredBackup {
  readonly point: RecoveryPoint
  /** As the caller saw it. */
  readonly seconds: number
  readonly history: RunHistory
}

export interface Setting {
  /** For files of the measure. */
  readonly folder: string
  readonly azure: AzureChild
  /** The same, as the demo's virtual machine and administrator use it. */
  readonly control: LocalAzure
  readonly engine: Engine
  readonly targetUrl: string
  /** Has done nothing yet when the measure begins, and is alone. */
  readonly worker: WorkerChild
  createDisk(name: string, sizeGib: number): Promise<string>
  /** Random bytes, the same ones in every run of the bench. */
  fill(diskId: string, offsetBytes: number, lengthBytes: number): Promise<void>
  /** An incremental snapshot that belongs to no run. Its id. */
  snapshot(diskId: string): Promise<string>
  backUp(diskId: string, options?: Partial<BackupOptions>): Promise<MeasuredBackup>
  /** To a new disk of that name, by upload. */
  restore(pointId: string, name: string): Promise<RunHistory>
  close(): Promise<void>
}

/** @param folder with the authority that all processes trust. @param nodeOptions of the worker. */
export async function openSetting(folder: string, env: NodeJS.ProcessEnv, nodeOptions: readonly string[] = []): Promise<Setting> {
  const closers: (() => Promise<void>)[] = []
  const close = async (): Promise<void> => {
    for (const closeOne of closers.splice(0).toReversed()) await closeOne()
  }
  try {
    const azure = await startAzureChild(join(folder, 'ca'))
    closers.push(() => azure.stop())
    // A queue of its own: a run that a measure before left open must not come here. Trust is the parent's, beside others.
    const own = { ...env, ...azure.env, NODE_EXTRA_CA_CERTS: env['NODE_EXTRA_CA_CERTS'], SNAPFERRY_TASK_QUEUE: `bench-${process.pid}-${Date.now()}` }
    const worker = await startWorkerChild(own, folder, nodeOptions)
    closers.push(() => worker.stop())
    const { settings } = await loadSettings(own)
    const clients = createAzureClients(settings.azure, credentialOf(azure))
    const engine: Engine = {
      azure: clients,
      exports: new ExportAccess(clients),
      pageLists: createPageLists(clients),
      flows: new FlowControl(),
    }
    const connection = await Connection.connect({ address: settings.temporal.address })
    closers.push(() => connection.close())
    const client = new Client({ connection })
    const targetUrl = `${azure.blobEndpoint}/bench/backups`
    const control = connectLocalAzure(azure)
    await control.createContainer(targetUrl)
    return {
      folder,
      azure,
      control,
      engine,
      targetUrl,
      worker,
      createDisk: (name, sizeGib) => control.createDisk({ name, sizeGib, location: REGION }),
      fill: (diskId, offsetBytes, lengthBytes) =>
        azure.order('fill', { diskId, startBytes: offsetBytes, endBytes: offsetBytes + lengthBytes, seed: 1 }),
      async snapshot(diskId) {
        const { uniqueId } = await getDisk(clients, diskId)
        const id = `${diskId.replace(/\/disks\//i, '/snapshots/')}-bench`
        const tags = sourceSnapshotTags({ targetKey: 'bench', diskUniqueId: uniqueId }, id)
        await createIncrementalSnapshot(clients, { id, diskId, diskUniqueId: uniqueId, location: REGION, tags })
        return id
      },
      async backUp(diskId, options = {}) {
        const startedMs = performance.now()
        const run = await client.workflow.start<typeof backupDisk>('backupDisk', {
          taskQueue: taskQueuesOf(settings.worker.taskQueuePrefix).control,
          workflowId: backupWorkflowId(diskId, targetUrl),
          args: [{ diskId, targetUrl, options: { ...DEFAULT_OPTIONS, ...options } }],
        })
        const { point } = (await run.result()) as BackupDiskResult
        const seconds = (performance.now() - startedMs) / 1000
        return { point, seconds, history: await readRunHistory(run) }
      },
      async restore(pointId, name) {
        const toDiskId = await control.createDisk({ name, sizeGib: 1, location: REGION })
        await deleteDisk(clients, toDiskId)
        const run = await client.workflow.start<typeof restoreDisk>('restoreDisk', {
          taskQueue: taskQueuesOf(settings.worker.taskQueuePrefix).control,
          workflowId: restoreWorkflowId(toDiskId),
          args: [{ targetUrl, pointId, toDiskId, region: REGION }],
        })
        await run.result()
        return readRunHistory(run)
      },
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}
