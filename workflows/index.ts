/** The workflows that a worker registers: their names are public contract. */
export { backupDisk } from './backup-disk.ts'
export { drillPolicy } from './drill-policy.ts'
export { drillRestore } from './drill-restore.ts'
export { restoreDisk } from './restore-disk.ts'
export { restoreGroup } from './restore-group.ts'
export { runPolicy } from './run-policy.ts'
export { verifyPoint } from './verify-point.ts'
export { watchDrills } from './watch-drills.ts'
