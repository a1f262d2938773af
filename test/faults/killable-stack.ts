/**
 * A whole installation in processes that can be killed: a worker, a Temporal server on a SQLite file, and the local Azure on what it
 * has kept. Each lane has a disk and a container; all lanes share the processes.
 */
import { setMaxListeners } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client, Connection } from '@temporalio/client'
import { createAzureClients, type AzureClients } from '../../azure/clients.ts'
import { ExportAccess } from '../../azure/export-access.ts'
import { createPageLists } from '../../azure/page-lists.ts'
import { applyPolicies, policyHandle } from '../../client/schedules.ts'
import type { PolicySpec } from '../../config/policy-file.ts'
import { backupWorkflowId, restoreWorkflowId } from '../../domain/names.ts'
import type { BackupOptions, Policy } from '../../domain/policy.ts'
import { FlowControl } from '../../engine/flow-control.ts'
import type { Engine } from '../../engine/engine.ts'
import { scanHistories } from '../../scripts/lib/secret-scan.mjs'
import type { LocalAzure } from '../../simulator/azure.ts'
import type { TemporalLink } from '../../temporal/connect.ts'
import { ensureSearchAttributes } from '../../temporal/ensure-search-attributes.ts'
import type { backupDisk, restoreDisk } from '../../workflows/index.ts'
import { taskQueuesOf } from '../../workflows/messages.ts'
import { credentialOf } from '../simulator/local-azure-support.ts'
import { startWorkerProcess, type WorkerProcess } from '../support/worker-process.ts'
import { startKillableAzure, type KillableAzure } from './killable-azure.ts'
import { startKillableTemporal, type KillableTemporal } from './killable-temporal.ts'

export const VICTIMS = ['worker', 'azure', 'temporal', 'all'] as const
export type Victim = (typeof VICTIMS)[number]

export interface StackLane {
  readonly name: string
  readonly diskId: string
  readonly restoredDiskId: string
  readonly targetUrl: string
}

export interface KillableStack {
  readonly azure: KillableAzure
  readonly engine: Engine
  readonly clients: AzureClients
  openLane(sizeGib: number): Promise<StackLane>
  /** A container that several disks are backed up to. */
  openTarget(name: string): Promise<string>
  /** Resolves when the run is over, whatever was killed meanwhile. @throws what failed it. */
  backUp(lane: StackLane, options: BackupOptions): Promise<unknown>
  restore(lane: StackLane, pointId: string): Promise<unknown>
  /** One run of a policy, started by its Schedule. @returns how many events its history has, and the longest of its backups. */
  runPolicy(policy: Policy, onStart: () => void): Promise<{ own: number; longest: number }>
  /** Of the worker as it is now; undefined where the system does not tell. */
  workerUsage(): Promise<{ residentBytes: number; openFiles: number } | undefined>
  /** Where in a history of its Temporal server, which nothing else searches, a secret stands; and how many it has. */
  secretsInHistories(): Promise<{ readonly count: number; readonly findings: readonly string[] }>
  /** SIGKILL, then a new start of what was killed. */
  strike(victim: Victim): Promise<void>
  close(): Promise<void>
}

const TASK_QUEUE = 'killable'
const SCHEDULED_EVERY_MS = 5_000
/** Held calls keep their slots until the kill. */
const WORKER_ENV = { SNAPFERRY_MAX_CONCURRENT_TRANSFERS: '100' }

export async function startKillableStack(): Promise<KillableStack> {
  const folder = await mkdtemp(join(tmpdir(), 'killable-'))
  const azure = await startKillableAzure(join(folder, 'azure'))
  const temporal: KillableTemporal = await startKillableTemporal(join(folder, 'temporal.db'))
  await azure.control('PUT', '/accounts', {}, { name: 'backups', region: 'northeurope' })
  const { endpoints } = azure
  const clients = createAzureClients(endpoints, credentialOf(endpoints as LocalAzure))
  let connection = await Connection.connect({ address: temporal.address })
  await ensureSearchAttributes(connection.operatorService, 'default')
  const startWorker = (): WorkerProcess =>
    startWorkerProcess({ azure: endpoints, taskQueuePrefix: TASK_QUEUE, temporalAddress: temporal.address, env: WORKER_ENV })
  let worker = startWorker()
  let lanes = 0

  const { control } = taskQueuesOf(TASK_QUEUE)
  const connections: Connection[] = []
  let renewed = new AbortController()
  /** A client's call is lost with the server, though not always with an error; the run is not. */
  const untilAnswered = async <T>(ask: (client: Client) => Promise<T>): Promise<T> => {
    for (;;) {
      const { signal } = renewed
      // Every call that waits listens to it.
      setMaxListeners(Infinity, signal)
      try {
        const lost = new Promise<never>((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }))
        return await Promise.race([ask(new Client({ connection })), lost])
      } catch (error) {
        if (!signal.aborted && !isLostCall(error)) throw error
        await sleep(500)
      }
    }
  }
  const resultOf = (workflowId: string): Promise<unknown> => untilAnswered((client) => client.workflow.getHandle(workflowId).result())

  return {
    azure,
    clients,
    engine: { azure: clients, exports: new ExportAccess(clients), pageLists: createPageLists(clients), flows: new FlowControl() },
    async openLane(sizeGib) {
      const name = `lane${lanes++}x`
      const created = (await azure.control('POST', '/disks', {}, { name, sizeGib, resourceGroup: `${name}-group`, location: 'westeurope' })) as { id: string }
      await azure.control('PUT', '/resource-groups', {}, { name: `${name}-restored`, location: 'northeurope' })
      await azure.control('PUT', '/containers', { account: 'backups', name: `${name}-0` })
      const restoredDiskId = `/subscriptions/${endpoints.subscriptionId}/resourceGroups/${name}-restored/providers/Microsoft.Compute/disks/${name}-restored`
      return { name, diskId: created.id, restoredDiskId, targetUrl: `${endpoints.blobEndpoint}/backups/${name}-0` }
    },
    async openTarget(name) {
      await azure.control('PUT', '/containers', { account: 'backups', name })
      return `${endpoints.blobEndpoint}/backups/${name}`
    },
    async backUp({ diskId, targetUrl }, options) {
      const workflowId = backupWorkflowId(diskId, targetUrl)
      await untilAnswered((client) => client.workflow.start<typeof backupDisk>('backupDisk', { taskQueue: control, workflowId, workflowIdConflictPolicy: 'USE_EXISTING', args: [{ diskId, targetUrl, options }] }))
      return resultOf(workflowId)
    },
    async restore({ targetUrl, restoredDiskId }, pointId) {
      const workflowId = restoreWorkflowId(restoredDiskId)
      const input = { targetUrl, pointId, toDiskId: restoredDiskId, region: 'northeurope' }
      await untilAnswered((client) => client.workflow.start<typeof restoreDisk>('restoreDisk', { taskQueue: control, workflowId, workflowIdConflictPolicy: 'USE_EXISTING', args: [input] }))
      return resultOf(workflowId)
    },
    async runPolicy(policy, onStart) {
      const workflowId = await untilAnswered((client) => startOnSchedule(client, policy))
      onStart()
      await resultOf(workflowId)
      const eventsOf = async (id: string): Promise<number> =>
        (await untilAnswered((client) => client.workflow.getHandle(id).describe())).historyLength
      const backups = await Promise.all(policy.diskIds.map((diskId) => eventsOf(backupWorkflowId(diskId, policy.targetUrl))))
      return { own: await eventsOf(workflowId), longest: Math.max(...backups) }
    },
    async workerUsage() {
      const status = await readFile(`/proc/${worker.pid}/status`, 'utf8').catch(() => '')
      const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(status) ?? []
      if (kib === undefined) return undefined
      return { residentBytes: Number(kib) * 1024, openFiles: (await readdir(`/proc/${worker.pid}/fd`)).length }
    },
    secretsInHistories: () => scanHistories(temporal.address),
    async strike(victim) {
      const hits = (one: Victim): boolean => victim === one || victim === 'all'
      await Promise.all([hits('worker') && worker.kill(), hits('azure') && azure.kill(), hits('temporal') && temporal.kill()])
      if (hits('azure')) await azure.restart()
      if (hits('temporal')) {
        await temporal.restart()
        // Closed beneath a call that still waits on it, a connection would fail outside of everything.
        connections.push(connection)
        connection = await Connection.connect({ address: temporal.address })
        renewed.abort()
        renewed = new AbortController()
      }
      if (hits('worker')) worker = startWorker()
    },
    async close() {
      await worker.kill()
      for (const one of [...connections, connection]) await one.close()
      await Promise.all([temporal.kill(), azure.kill()])
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Lets the Schedule of a policy begin one run, and pauses it again. @returns the run's workflow id */
async function startOnSchedule(client: Client, policy: Policy): Promise<string> {
  const connection = client.connection as Connection
  const link: TemporalLink = { client, connection, address: connection.options.address, namespace: 'default', close: () => connection.close() }
  const spec: PolicySpec = { policy, schedule: { kind: 'every', everyMs: SCHEDULED_EVERY_MS, offsetMs: 0 }, jitterMs: 0, catchUpWindowMs: 60_000, isPaused: true }
  await applyPolicies(link, [spec], { taskQueuePrefix: TASK_QUEUE, prune: false, dryRun: false })
  const schedule = policyHandle(link, policy.name)
  const { numActionsTaken: before } = (await schedule.describe()).info
  await schedule.unpause()
  for (;;) {
    const { numActionsTaken, recentActions } = (await schedule.describe()).info
    const action = recentActions.at(-1)?.action
    if (numActionsTaken > before && action !== undefined) {
      // The disks are changed between two runs, so the next has to wait for that.
      await schedule.pause()
      return action.workflow.workflowId
    }
    await sleep(100)
  }
}

/** Of gRPC: the server is gone, or the connection was closed beneath the call. */
function isLostCall(error: unknown): boolean {
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: unknown }
  if (code === 14 || code === 1 || code === 4) return true
  const isClosed = error instanceof Error && /closed|dropped|UNAVAILABLE/i.test(error.message)
  return isClosed || (cause !== undefined && isLostCall(cause))
}
