/**
 * Keeps the heap of a worker small: it waits more than it computes and runs for months beside others. What loads makes much garbage
 * once, so V8 is told to collect at once while the process starts (`bin/snapferry.mjs`). For work that costs more than half of the processor's
 * time, so from then on the heap may grow by half before it is collected.
 */
import { setFlagsFromString } from 'node:v8'

/** Once, when all is loaded. Looked after by test/e2e/worker-process. */
export function endSmallHeapOfStart(): void {
  setFlagsFromString('--no-optimize-for-size')
  setFlagsFromString('--heap-growing-percent=50')
}
