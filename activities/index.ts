/**
 * All activities, by the task queue that they belong to: `control` for short calls, `data` for long work on lists and bytes, so that
 * a saturated data plane never keeps a snapshot from being taken.
 */
import type { Engine } from '../engine/engine.ts'
import { createBackupControl, createBackupData } from './backup-activities.ts'
import { createCopyControl, createCopyData } from './copy-activities.ts'
import { createDrillControl, createDrillData } from './drill-activities.ts'
import type { DrillHost } from './drill-host.ts'
import { createRestoreControl, createRestoreData } from './restore-activities.ts'
import type { SealedHook } from './sealed-hook.ts'
import { createVerifyControl, createVerifyData } from './verify-activities.ts'

export function createControlActivities(engine: Engine, drills?: DrillHost, onSealed?: SealedHook) {
  return { ...createBackupControl(engine, onSealed), ...createCopyControl(engine, onSealed), ...createRestoreControl(engine), ...createDrillControl(engine, drills), ...createVerifyControl(engine) }
}

export function createDataActivities(engine: Engine, drills?: DrillHost) {
  return { ...createBackupData(engine), ...createCopyData(engine), ...createRestoreData(engine), ...createDrillData(engine, drills), ...createVerifyData(engine) }
}

export type ControlActivities = ReturnType<typeof createControlActivities>
export type DataActivities = ReturnType<typeof createDataActivities>
