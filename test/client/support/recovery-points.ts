import type { RecoveryPoint } from '../../../domain/recovery-point.ts'

export function aRecoveryPoint(of: Partial<RecoveryPoint> = {}): RecoveryPoint {
  return {
    id: '20261122T101500Z-0123456789ab',
    diskId: '/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute/disks/data',
    diskUniqueId: 'unique',
    takenAt: '2026-11-22T10:15:00.000Z',
    sealedAt: '2026-11-22T10:17:00.000Z',
    kind: 'incremental',
    reseedCause: null,
    sizeBytes: 64 * 1024 ** 3,
    changedBytes: 5 * 1024 ** 3,
    clearedBytes: 0,
    movedBytes: 5 * 1024 ** 3,
    requests: 1280,
    seconds: 90,
    verification: { result: 'passed', rounds: 1, writtenBytes: 5 * 1024 ** 3, comparedBytes: 128 * 1024 ** 2 },
    baseBlobName: 'disks/data-1/1/base.vhd',
    blobSnapshot: '2026-11-22T10:17:00.0000000Z',
    ...of,
  }
}
