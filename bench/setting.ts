/**
 * What the rows are measured on: the local Azure in a process of its own, written as a virtual machine would, the engine
 * in this process, and workflows on the worker that scripts/bench.mjs started.
 */
import { Client, Connection } from '@temporalio/client'
import { createAzureClients } from '../azure/clients.ts'
import { getDisk } from '../azure/disks.ts'
import { ExportAccess } from '../azure/export-access.ts'
import { createPageLists } from '../azure/page-lists.ts'
import { createIncrementalSnapshot } from '../azure/snapshots.ts'
import { loadSettings } from '../config/settings.ts'
import { connectLocalAzure, type LocalAzure } from '../demo/local-azure.ts'
import { readStage } from '../demo/stage.ts'
import { MIB } from '../domain/byte-range.ts'
import { backupWorkflowId } from '../domain/names.ts'
import { DEFAULT_OPTIONS } from '../domain/policy.ts'
import type { RecoveryPoint } from '../domain/recovery-point.ts'
import { seededRandom } from '../domain/sampler.ts'
import { sourceSnapshotTags } from '../domain/tags.ts'
import type { Engine } from '../engine/engine.ts'
import { FlowControl } from '../engine/flow-control.ts'
import type { backupDisk } from '../workflows/index.ts'
import { taskQueuesOf } from '../workflows/messages.ts'

const REGION = 'westeurope'
const CHUNK_BYTES = 4 * MIB

export interface MeasuredBackup {
  readonly point: RecoveryPoint
  readonly seconds: number
  readonly historyEvents: number
}

export interface Setting {
  readonly azure: LocalAzure
  readonly engine: Engine
  readonly targetUrl: string
  createDisk(name: string, sizeGib: number): Promise<string>
  /** Random bytes, the same in every run of the bench. */
  fill(diskId: string, offsetBytes: number, lengthBytes: number): Promise<void>
  /** An incremental snapshot that belongs to no run. Its id. */
  snapshot(diskId: string): Promise<string>
  backUp(diskId: string): Promise<MeasuredBackup>
  close(): Promise<void>
}

export async function openSetting(folder: string | undefined, env: NodeJS.ProcessEnv): Promise<Setting> {
  const stage = await readStage(folder, env)
  const { settings } = await loadSettings(env)
  const azure = connectLocalAzure(stage.azure)
  const clients = createAzureClients(settings.azure)
  const engine: Engine = {
    azure: clients,
    exports: new ExportAccess(clients),
    pageLists: createPageLists(clients),
    flows: new FlowControl(),
  }
  const connection = await Connection.connect({ address: settings.temporal.address })
  const client = new Client({ connection })
  await azure.createContainer(stage.targetUrl)
  const data = randomBytes(CHUNK_BYTES)
  return {
    azure,
    engine,
    targetUrl: stage.targetUrl,
    createDisk: (name, sizeGib) => azure.createDisk({ name, sizeGib, location: REGION }),
    async fill(diskId, offsetBytes, lengthBytes) {
      for (let doneBytes = 0; doneBytes < lengthBytes; doneBytes += CHUNK_BYTES) {
        await azure.write(diskId, offsetBytes + doneBytes, data.subarray(0, lengthBytes - doneBytes))
      }
    },
    async snapshot(diskId) {
      const { uniqueId } = await getDisk(clients, diskId)
      const id = `${diskId.replace(/\/disks\//i, '/snapshots/')}-bench`
      const tags = sourceSnapshotTags({ targetKey: 'bench', diskUniqueId: uniqueId }, id)
      await createIncrementalSnapshot(clients, { id, diskId, diskUniqueId: uniqueId, location: REGION, tags })
      return id
    },
    async backUp(diskId) {
      const startedMs = performance.now()
      const run = await client.workflow.start<typeof backupDisk>('backupDisk', {
        taskQueue: taskQueuesOf(settings.worker.taskQueuePrefix).control,
        workflowId: backupWorkflowId(diskId, stage.targetUrl),
        args: [{ diskId, targetUrl: stage.targetUrl, options: DEFAULT_OPTIONS }],
      })
      const { point } = await run.result()
      const seconds = (performance.now() - startedMs) / 1000
      const { historyLength } = await run.describe()
      return { point, seconds, historyEvents: historyLength }
    },
    close: () => connection.close(),
  }
}

function randomBytes(lengthBytes: number): Buffer {
  const random = seededRandom(1)
  const data = Buffer.alloc(lengthBytes)
  for (let at = 0; at < lengthBytes; at += 4) data.writeUInt32LE(Math.floor(random() * 2 ** 32), at)
  return data
}
