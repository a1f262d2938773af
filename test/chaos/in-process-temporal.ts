/**
 * Plays the workflows in this process: their own code on their own activities, each attempt in an activity context of Temporal's
 * testing package. What Temporal does between the two is done here: attempts, heartbeat details for the next one, cancellation,
 * plain JSON as arguments and results. A run takes a tenth of the time that it takes on a server, so thousands can be played;
 * what a server alone can do (history, timers, timeouts) is for the tests that have one.
 *
 * Attempts follow each other at once, whatever the failure asks to wait: time is not what is tested here.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { randomUUID } from 'node:crypto'
import { jest } from '@jest/globals'
import { ActivityFailure, ApplicationFailure, CancelledFailure, TypedSearchAttributes } from '@temporalio/common'
import { MockActivityEnvironment } from '@temporalio/testing'
import * as temporal from '@temporalio/workflow'
import { createControlActivities, createDataActivities } from '../../activities/index.ts'
import type { Engine } from '../../engine/engine.ts'

/** What a crash leaves of a run: another worker goes on; the workflow is terminated; or it is cancelled and cleans up. */
export type AfterCrash = 'resumed' | 'terminated' | 'cancelled'

export interface RunOptions {
  /** A new process: nothing that the one before it held in memory. */
  readonly startProcess: () => Engine
  /** Aborted in the instant in which the process dies. */
  readonly crash?: AbortSignal
  /** Default: `resumed`. */
  readonly afterCrash?: AfterCrash
  /** The run waits for it before it takes note of the result. */
  readonly onActivity?: (name: string, result: unknown) => Promise<void>
}

/** The workflow was terminated: whatever it was in the middle of is as it is. */
export class Terminated extends Error {}

/** Of an activity; what still fails then is told to the workflow. */
const MAX_ATTEMPTS = 6

type Activity = (input: unknown) => Promise<unknown>

interface Process {
  readonly activities: Readonly<Record<string, Activity>>
  readonly crash: AbortSignal
}

interface Run {
  readonly info: Pick<temporal.WorkflowInfo, 'workflowId' | 'runId' | 'firstExecutionRunId' | 'originalExecutionRunId' | 'startTime' | 'taskQueue' | 'typedSearchAttributes'>
  readonly options: RunOptions
  process: Process
  isCancelled: boolean
  isTerminated: boolean
  readonly terminate: (error: Terminated) => void
}

/** Where in a run the code is: clean-up goes on when the rest is cancelled. */
interface Place {
  readonly run: Run
  readonly isShielded: boolean
  /** Innermost that the code is in, of those that can be cancelled by themselves. */
  readonly scope?: Scope
}

/** Cancels what begins in it from then on; what is under way comes to its end. */
class Scope {
  #isCancelled = false
  readonly #outer = place.getStore()?.scope

  static current(): { readonly consideredCancelled: boolean } {
    return { consideredCancelled: isCancelled(here()) }
  }

  static nonCancellable<T>(work: () => Promise<T>): Promise<T> {
    return place.run({ ...here(), isShielded: true }, work)
  }

  get consideredCancelled(): boolean {
    return this.#isCancelled || this.#outer?.consideredCancelled === true
  }

  run<T>(work: () => Promise<T>): Promise<T> {
    return place.run({ ...here(), scope: this }, work)
  }

  cancel(): void {
    this.#isCancelled = true
  }
}

const place = new AsyncLocalStorage<Place>()

function here(): Place {
  const store = place.getStore()
  if (store === undefined) throw new Error('no workflow is played here')
  return store
}

/** Resolves to the workflow's result. @throws what the workflow throws; Terminated. */
export function playWorkflow<Input, Output>(workflow: (input: Input) => Promise<Output>, input: Input, options: RunOptions): Promise<Output> {
  return new Promise((resolve, reject) => {
    const run: Run = { info: createInfo(), options, process: startProcess(options, options.crash), isCancelled: false, isTerminated: false, terminate: reject }
    place.run({ run, isShielded: false }, () => workflow(asPayload(input) as Input)).then(resolve, reject)
  })
}

/** A run of its own that is cancelled with its parent, and whose failure is the parent's to handle. */
async function playChild(workflow: (input: unknown) => Promise<unknown>, { args: [input] }: { readonly args: readonly [unknown] }): Promise<unknown> {
  const parent = here()
  refuseCancelled(parent)
  const run: Run = { ...parent.run, info: createInfo() }
  return asPayload(await place.run({ ...parent, run }, () => workflow(asPayload(input))))
}

function createInfo(): Run['info'] {
  const runId = randomUUID()
  return {
    workflowId: `in-process/${runId}`,
    runId,
    firstExecutionRunId: runId,
    originalExecutionRunId: runId,
    startTime: new Date(),
    taskQueue: 'in-process-control',
    typedSearchAttributes: new TypedSearchAttributes(),
  }
}

function isCancelled({ run, isShielded, scope }: Place): boolean {
  return (run.isCancelled || scope?.consideredCancelled === true) && !isShielded
}

function refuseCancelled(at: Place): void {
  if (isCancelled(at)) throw new CancelledFailure('cancelled')
}

function startProcess({ startProcess: start }: RunOptions, crash: AbortSignal = new AbortController().signal): Process {
  const engine = start()
  return { activities: { ...createControlActivities(engine), ...createDataActivities(engine) } as Process['activities'], crash }
}

/** One activity with all its attempts. */
async function execute(name: string, input: unknown): Promise<unknown> {
  const { run } = here()
  let heartbeatDetails: unknown
  for (let attempt = 1; ; attempt++) {
    refuseCancelled(here())
    const { process } = run
    try {
      const result = await attemptActivity(process, name, asPayload(input), { attempt, heartbeatDetails }, (details) => (heartbeatDetails = details))
      // What a process did in the instant in which it died, nobody was told.
      process.crash.throwIfAborted()
      await run.options.onActivity?.(name, result)
      return asPayload(result)
    } catch (error) {
      if (process.crash.aborted) {
        takeOver(run, process)
        // Nothing of a terminated workflow goes on, not even its clean-up.
        if (run.isTerminated) return new Promise(() => {})
      } else if (!isRetried(error) || attempt === MAX_ATTEMPTS) {
        throw new ActivityFailure('activity failed', name, name, 'MAXIMUM_ATTEMPTS_REACHED', undefined, error as Error)
      }
    }
  }
}

async function attemptActivity(
  { activities, crash }: Process,
  name: string,
  input: unknown,
  info: { attempt: number; heartbeatDetails: unknown },
  onHeartbeat: (details: unknown) => void,
): Promise<unknown> {
  const environment = new MockActivityEnvironment({ ...info, activityType: name }, { logger: SILENT })
  environment.on('heartbeat', onHeartbeat)
  const die = (): void => environment.cancel()
  crash.addEventListener('abort', die, { once: true })
  try {
    crash.throwIfAborted()
    return await environment.run(activities[name]!, input)
  } finally {
    crash.removeEventListener('abort', die)
    environment.off('heartbeat', onHeartbeat)
  }
}

/** The first activity that finds its process dead starts the next one. */
function takeOver(run: Run, dead: Process): void {
  if (run.process !== dead) return
  run.process = startProcess(run.options)
  const { afterCrash = 'resumed' } = run.options
  run.isCancelled = afterCrash === 'cancelled'
  run.isTerminated = afterCrash === 'terminated'
  if (run.isTerminated) run.terminate(new Terminated('terminated'))
}

function isRetried(error: unknown): boolean {
  return error instanceof ApplicationFailure && error.nonRetryable !== true
}

function asPayload(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value))
}

const silent = (): void => {}
const SILENT = { log: silent, trace: silent, debug: silent, info: silent, warn: silent, error: silent }

/** Every activity there is: what an activity takes is its first argument alone. */
const proxies = new Proxy(
  {},
  {
    get: (_target, name: string) =>
      Object.assign((input: unknown) => execute(name, input), {
        executeWithOptions: (_options: unknown, [input]: readonly unknown[]) => execute(name, input),
      }),
  },
)

jest.unstable_mockModule('@temporalio/workflow', () => ({
  ...temporal,
  proxyActivities: () => proxies,
  workflowInfo: () => here().run.info,
  CancellationScope: Scope,
  executeChild: playChild,
  log: SILENT,
  setCurrentDetails: silent,
  setHandler: silent,
  upsertSearchAttributes: silent,
}))

/** The workflows themselves, on what is above. */
export const { backupDisk, restoreDisk, restoreGroup, verifyPoint } = await import('../../workflows/index.ts')
