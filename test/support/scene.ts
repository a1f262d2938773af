/**
 * A whole installation for one test file: a local Azure with two regions, a target container, and a worker of its own on the shared
 * Temporal server. Everything is the real thing over real HTTP; names are unique, so files can run side by side.
 */
import { randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { DefaultAzureCredential } from '@azure/identity'
import { Client, Connection } from '@temporalio/client'
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker'
import { createControlActivities, createDataActivities } from '../../activities/index.ts'
import type { DrillHost } from '../../activities/drill-host.ts'
import { createAzureClients, type AzureClients } from '../../azure/clients.ts'
import { ExportAccess } from '../../azure/export-access.ts'
import { listPoints } from '../../azure/manifests.ts'
import { createPageLists, type PageLists } from '../../azure/page-lists.ts'
import { isCopied, type Manifest } from '../../domain/manifest.ts'
import { backupWorkflowId, restoreWorkflowId } from '../../domain/names.ts'
import { DEFAULT_OPTIONS, type BackupOptions } from '../../domain/policy.ts'
import { newestFirst } from '../../domain/recovery-point.ts'
import type { Engine } from '../../engine/engine.ts'
import { FlowControl } from '../../engine/flow-control.ts'
import { startLocalAzure, type LocalAzure, type LocalAzureOptions } from '../../simulator/azure.ts'
import { ensureSearchAttributes } from '../../temporal/ensure-search-attributes.ts'
import type { backupDisk, restoreDisk } from '../../workflows/index.ts'
import { taskQueuesOf, type BackupDiskResult, type TaskQueues, type RestoreDiskInput, type RestoreDiskResult } from '../../workflows/messages.ts'
import { startLossyProxy } from './lossy-proxy.ts'
import { certificateAuthorityDirectory, logDirectory, temporalAddress, workflowBundlePath } from './environment.ts'

export const SOURCE_REGION = 'westeurope'
export const TARGET_REGION = 'northeurope'

export interface Scene {
  readonly azure: LocalAzure
  readonly clients: AzureClients
  readonly engine: Engine
  readonly client: Client
  readonly targetUrl: string
  readonly taskQueuePrefix: string
  createDisk(sizeGib: number, name?: string): string
  /** ARM id of a disk that does not exist yet. */
  freshDiskId(): string
  backUp(diskId: string, options?: Partial<BackupOptions>): Promise<BackupDiskResult>
  startBackup(diskId: string, options?: Partial<BackupOptions>): ReturnType<Client['workflow']['start']>
  restore(input: Omit<RestoreDiskInput, 'targetUrl' | 'toDiskId' | 'region'> & Partial<RestoreDiskInput>): Promise<RestoreDiskResult & { diskId: string }>
  /** Newest first. */
  points(diskId?: string): Promise<Manifest[]>
  /** Names of the snapshots that lie in the source's resource group. */
  sourceSnapshots(): Promise<string[]>
  close(): Promise<void>
}

export interface SceneOptions extends LocalAzureOptions {
  /** false: the test starts workers of its own. */
  readonly hasWorker?: boolean
  /** What the worker lends to drills. */
  readonly drills?: DrillHost
  /** Asked for each answer of the resource manager (method, path): true loses it on the way. */
  readonly isAnswerLost?: (method: string, path: string) => boolean
  /** Stands between the engine and the page lists, as an endpoint that lists otherwise would. */
  readonly wrapPageLists?: (lists: PageLists) => PageLists
}

let isRuntimeInstalled = false

export async function openScene(options: SceneOptions = {}): Promise<Scene> {
  installTestRuntime()
  const { hasWorker = true, drills, isAnswerLost, wrapPageLists = (lists) => lists, ...azureOptions } = options
  const azure = await startLocalAzure({
    caDir: certificateAuthorityDirectory(),
    ...azureOptions,
    settings: { enforceSnapshotRate: false, ...azureOptions.settings },
  })
  process.env['IDENTITY_ENDPOINT'] = azure.env['IDENTITY_ENDPOINT']
  process.env['IDENTITY_HEADER'] = azure.env['IDENTITY_HEADER']
  azure.createAccount({ name: 'backups', region: TARGET_REGION })
  const proxy = isAnswerLost && (await startLossyProxy(azure.resourceManagerEndpoint, isAnswerLost))
  const clients = createAzureClients({ ...azure, ...(proxy && { resourceManagerEndpoint: proxy.url }) }, new DefaultAzureCredential())
  const targetUrl = `${azure.blobEndpoint}/backups/points`
  await clients.container(targetUrl).create()
  const pageLists = wrapPageLists(createPageLists(clients))
  const engine: Engine = { azure: clients, exports: new ExportAccess(clients), pageLists, flows: new FlowControl() }

  const taskQueuePrefix = `test-${randomUUID()}`
  const queues = taskQueuesOf(taskQueuePrefix)
  const connection = await Connection.connect({ address: temporalAddress() })
  await ensureSearchAttributes(connection.operatorService, 'default')
  const client = new Client({ connection })
  const stopWorker = hasWorker ? await startWorker(engine, queues, drills) : async () => {}

  const startBackup: Scene['startBackup'] = (diskId, backupOptions = {}) =>
    client.workflow.start<typeof backupDisk>('backupDisk', {
      taskQueue: queues.control,
      workflowId: backupWorkflowId(diskId, targetUrl),
      args: [{ diskId, targetUrl, options: { ...DEFAULT_OPTIONS, ...backupOptions } }],
    })
  return {
    azure,
    clients,
    engine,
    client,
    targetUrl,
    taskQueuePrefix,
    createDisk: (sizeGib, name = `disk-${randomUUID().slice(0, 8)}`) => azure.createDisk({ name, sizeGib, resourceGroup: 'source', location: SOURCE_REGION }).id,
    freshDiskId: () => diskIdIn(azure, 'restored', `restored-${randomUUID().slice(0, 8)}`),
    startBackup,
    backUp: async (diskId, backupOptions) => (await (await startBackup(diskId, backupOptions)).result()) as BackupDiskResult,
    async restore(input) {
      const toDiskId = input.toDiskId ?? (input.toSnapshotId === undefined ? diskIdIn(azure, 'restored', `restored-${randomUUID().slice(0, 8)}`) : undefined)
      azure.createResourceGroup({ name: 'restored', location: TARGET_REGION })
      const result = await client.workflow.execute<typeof restoreDisk>('restoreDisk', {
        taskQueue: queues.control,
        workflowId: restoreWorkflowId(toDiskId ?? input.toSnapshotId ?? ''),
        args: [{ targetUrl, region: TARGET_REGION, ...input, ...(toDiskId !== undefined && { toDiskId }) }],
      })
      return { ...result, diskId: result.resourceId }
    },
    points: async (diskId) => newestFirst((await listPoints(clients, targetUrl, diskId === undefined ? {} : { diskId })).points.filter((point) => !isCopied(point))),
    async sourceSnapshots() {
      const names: string[] = []
      for await (const { name } of clients.compute(azure.subscriptionId).snapshots.listByResourceGroup('source')) names.push(name ?? '')
      return names
    },
    async close() {
      await stopWorker()
      await connection.close()
      await proxy?.close()
      await azure.close()
    },
  }
}

/** Serves the queues in this process, until the returned function is called. */
export async function startWorker(engine: Engine, queues: Partial<TaskQueues>, drills?: DrillHost): Promise<() => Promise<void>> {
  const connection = await NativeConnection.connect({ address: temporalAddress() })
  const common = { connection, maxHeartbeatThrottleInterval: '1 second' } as const
  const { control, ...dataQueues } = queues
  const workers = await Promise.all(
    Object.values(dataQueues).map((taskQueue) => Worker.create({ ...common, taskQueue, activities: createDataActivities(engine, drills) })),
  )
  if (control !== undefined) {
    workers.push(
      await Worker.create({
        ...common,
        taskQueue: control,
        workflowBundle: { codePath: workflowBundlePath() },
        activities: createControlActivities(engine, drills),
      }),
    )
  }
  const running = Promise.all(workers.map((worker) => worker.run()))
  return async () => {
    for (const worker of workers) worker.shutdown()
    await running
    await connection.close()
  }
}

function diskIdIn(azure: LocalAzure, resourceGroup: string, name: string): string {
  return `/subscriptions/${azure.subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.Compute/disks/${name}`
}

/** Logs go where they are searched for secrets. */
function installTestRuntime(): void {
  if (isRuntimeInstalled) return
  isRuntimeInstalled = true
  const file = createWriteStream(join(logDirectory(), `worker-${process.pid}-${randomUUID()}.log`))
  const logger = new DefaultLogger('DEBUG', ({ level, message, meta }) => {
    file.write(`${level} ${message} ${JSON.stringify(meta, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value))}\n`)
  })
  // A Ctrl-C of a test is for the command line in this process, not for the worker beside it.
  Runtime.install({ logger, shutdownSignals: [], telemetryOptions: { logging: { filter: { core: 'WARN', other: 'WARN' }, forward: {} } } })
}
