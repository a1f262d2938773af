/**
 * Stands for the turn of a policy: while a run of it has disks to begin, no other run of it begins any.
 *
 * Its workflow id is the lock. It ends when it is cancelled, as its run has begun the last disk, and by itself after a day: as many disks as a
 * run works on at a time may all be stuck, and are not to keep the rest from their backups.
 */
import { CancelledFailure, sleep } from '@temporalio/workflow'

const LONGEST_TURN = '1 day'

export async function policyTurn(): Promise<void> {
  try {
    await sleep(LONGEST_TURN)
  } catch (error) {
    if (!(error instanceof CancelledFailure)) throw error
  }
}
