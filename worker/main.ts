/**
 * The worker process: connects, checks the search attributes, and polls its task queues until it is told to stop.
 *
 * Stops cleanly on SIGINT and SIGTERM: activities get a grace time and go on from their checkpoints elsewhere. Throws when it cannot
 * connect; whoever started it restarts it.
 */
import { fileURLToPath } from 'node:url'
import { existsSync } from 'node:fs'
import { NativeConnection, Runtime, Worker, type WorkerOptions } from '@temporalio/worker'
import { createControlActivities, createDataActivities } from '../activities/index.ts'
import type { DrillHost } from '../activities/drill-host.ts'
import { createAzureClients } from '../azure/clients.ts'
import { ExportAccess } from '../azure/export-access.ts'
import { createPageLists } from '../azure/page-lists.ts'
import type { Settings } from '../config/settings.ts'
import type { Engine } from '../engine/engine.ts'
import { FlowControl } from '../engine/flow-control.ts'
import { ensureSearchAttributes } from '../temporal/ensure-search-attributes.ts'
import { translateConnectError, translateTemporalError } from '../temporal/translate-error.ts'
import { taskQueuesOf, type TaskQueues } from '../workflows/messages.ts'
import { createBackupGauge } from './backup-gauges.ts'
import { createDrillGauges } from './drill-gauges.ts'
import { installRuntime } from './runtime.ts'
import { endSmallHeapOfStart } from './small-heap.ts'

export type Plane = 'control' | 'data'

const QUEUES_OF = { control: ['control'], data: ['data', 'restore', 'verify'] } as const satisfies Record<Plane, readonly (keyof TaskQueues)[]>

export interface WorkerRunOptions {
  /** `control` polls the queue of that name, `data` those that move bytes; by default one process serves both. */
  readonly planes: readonly Plane[]
}

/** Of the slots for backups; the others have theirs beside them. */
const SHARE_OF_SLOTS = { data: 1, restore: 1 / 2, verify: 1 / 4 } as const

/** Made by the build beside the compiled sources; in its absence the sources are bundled at start. */
const WORKFLOW_BUNDLE = fileURLToPath(new URL('../workflow-bundle.js', import.meta.url))
const WORKFLOWS = fileURLToPath(new URL('../workflows/index.js', import.meta.url))

/** How long short calls may take to end after a stop; copies are cancelled and resumed elsewhere. */
const SHUTDOWN_GRACE_TIME = '10 seconds'
const SHUTDOWN_FORCE_TIME = '25 seconds'
/** Heartbeats (`activities/heartbeat.ts`) are sent as they come: Temporal's own throttle would hold most of them back. */
const HEARTBEAT_THROTTLE = '2 seconds'
/** Most of them wait for Azure's own copies, of which there may be hundreds: the short calls between need a free one. */
const CONTROL_SLOTS = 1000

/** Runs until it is stopped. @throws BackupError TemporalUnreachable | NotSignedIn | AccessDenied | InvalidConfig. */
export async function runWorker(settings: Settings, { planes }: WorkerRunOptions): Promise<void> {
  installRuntime(settings.worker)
  const { connectionOptions, namespace } = settings.temporal
  const connection = await NativeConnection.connect(connectionOptions).catch((cause: unknown) => {
    throw translateConnectError(cause, settings.temporal)
  })
  try {
    await ensureSearchAttributes(connection.operatorService, namespace).catch((cause: unknown) => {
      throw translateTemporalError(cause, settings.temporal) ?? cause
    })
    const azure = createAzureClients(settings.azure)
    const engine: Engine = {
      azure,
      exports: new ExportAccess(azure),
      pageLists: createPageLists(azure),
      flows: new FlowControl(settings.worker),
    }
    const { runsDrillCommands: mayRunCommands, alertCommand } = settings.worker
    const drills: DrillHost = { mayRunCommands, alertCommand, gauges: createDrillGauges(Runtime.instance().metricMeter) }
    const workers = await Promise.all(planes.flatMap((plane) => QUEUES_OF[plane]).map((queue) => createWorker(queue, settings, connection, engine, drills)))
    endSmallHeapOfStart()
    await runTogether(workers)
  } finally {
    await connection.close()
  }
}

/** One that fails stops the others: half a worker would look alive. @throws what the first of them failed of. */
async function runTogether(workers: readonly Worker[]): Promise<void> {
  const failures: unknown[] = []
  const run = async (worker: Worker): Promise<void> => {
    try {
      await worker.run()
    } catch (error) {
      failures.push(error)
      for (const other of workers) if (other.getState() === 'RUNNING') other.shutdown()
    }
  }
  await Promise.all(workers.map(run))
  if (failures.length > 0) throw failures[0]
}

function createWorker(queue: keyof TaskQueues, settings: Settings, connection: NativeConnection, engine: Engine, drills: DrillHost): Promise<Worker> {
  const queues = taskQueuesOf(settings.worker.taskQueuePrefix)
  const common: Pick<WorkerOptions, 'connection' | 'namespace' | 'shutdownGraceTime' | 'shutdownForceTime' | 'maxHeartbeatThrottleInterval'> = {
    connection,
    namespace: settings.temporal.namespace,
    shutdownGraceTime: SHUTDOWN_GRACE_TIME,
    shutdownForceTime: SHUTDOWN_FORCE_TIME,
    maxHeartbeatThrottleInterval: HEARTBEAT_THROTTLE,
  }
  switch (queue) {
    case 'control':
      return Worker.create({
        ...common,
        taskQueue: queues.control,
        ...(existsSync(WORKFLOW_BUNDLE) ? { workflowBundle: { codePath: WORKFLOW_BUNDLE } } : { workflowsPath: WORKFLOWS }),
        activities: createControlActivities(engine, drills, createBackupGauge(Runtime.instance().metricMeter)),
        maxConcurrentActivityTaskExecutions: CONTROL_SLOTS,
      })
    default:
      return Worker.create({
        ...common,
        taskQueue: queues[queue],
        activities: createDataActivities(engine, drills),
        maxConcurrentActivityTaskExecutions: Math.ceil(settings.worker.maxConcurrentTransfers * SHARE_OF_SLOTS[queue]),
      })
  }
}
