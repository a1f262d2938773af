/** Facts of a source side with everything in order; a test names only what it is about. */
import type { CursorRef } from '../../../domain/base-blob-state.ts'
import { GIB } from '../../../domain/byte-range.ts'
import type { Manifest } from '../../../domain/manifest.ts'
import type { SourceDisk, SourceSnapshot } from '../../../domain/source-disk.ts'

export const DISK_ID = '/subscriptions/5a7e/resourceGroups/Vaults/providers/Microsoft.Compute/disks/Data_Disk.1'
export const TARGET = 'https://account.blob.core.windows.net/backups'

export function aDisk(overrides: Partial<SourceDisk> = {}): SourceDisk {
  return {
    id: DISK_ID,
    uniqueId: 'disk-unique-1',
    name: 'Data_Disk.1',
    location: 'westeurope',
    sizeBytes: 64 * GIB,
    shape: { logicalSectorBytes: 512 },
    ...overrides,
  }
}

export function aSnapshot(overrides: Partial<SourceSnapshot> = {}): SourceSnapshot {
  return {
    id: '/subscriptions/5a7e/resourceGroups/Vaults/providers/Microsoft.Compute/snapshots/sf-1',
    uniqueId: 'snapshot-unique-1',
    familyId: 'family-1',
    sizeBytes: 64 * GIB,
    takenAt: '2026-03-01T02:00:00.000Z',
    ...overrides,
  }
}

/** The cursor that `aSnapshot` with the same overrides is named by. */
export function aCursor(overrides: Partial<CursorRef> = {}): CursorRef {
  const { id, uniqueId, sizeBytes } = aSnapshot()
  return { snapshotId: id, snapshotUniqueId: uniqueId, familyId: 'family-1', sizeBytes, ...overrides }
}

export function aManifest(overrides: Partial<Manifest> = {}): Manifest {
  return {
    format: 1,
    id: '20260301T020000Z-0123456789ab',
    kind: 'incremental',
    reseedCause: null,
    takenAt: '2026-03-01T02:00:00.000Z',
    sealedAt: '2026-03-01T02:07:30.000Z',
    disk: {
      id: DISK_ID,
      uniqueId: 'disk-unique-1',
      name: 'Data_Disk.1',
      location: 'westeurope',
      shape: { logicalSectorBytes: 512 },
    },
    sizeBytes: 64 * GIB,
    baseBlob: { name: 'disks/a/b/base.vhd', sizeBytes: 64 * GIB + 512, snapshot: '2026-03-01T02:07:29.1234567Z' },
    source: { snapshotId: aSnapshot().id, snapshotUniqueId: 'snapshot-unique-1', familyId: 'family-1' },
    run: { key: '20260301T020000Z-0123456789ab', workflowId: 'backup/a/b', epoch: 7 },
    changedBytes: 1024,
    clearedBytes: 0,
    movedBytes: 1536,
    requests: 2,
    seconds: 450.5,
    verification: { result: 'passed', rounds: 1, writtenBytes: 1536, comparedBytes: 4096 },
    writtenBy: 'snapferry 0.1.0',
    ...overrides,
  }
}
