/** A full and an incremental backup and a restore: what must come out right on every endpoint. */
import { expect } from '@jest/globals'
import { BaseBlob } from '../../azure/base-blob.ts'
import { MIB } from '../../domain/byte-range.ts'
import type { BackupOptions } from '../../domain/policy.ts'
import type { RecoveryPoint } from '../../domain/recovery-point.ts'
import { createRandomDisk } from './random-disk.ts'
import type { Scene } from './scene.ts'

const REACH_BYTES = 32 * MIB
const CHANGES = 15

/** The point restored to a new disk, byte for byte. */
export async function expectRestorable(scene: Scene, pointId: string, sha256: string): Promise<void> {
  const { diskId } = await scene.restore({ pointId })
  expect((await scene.azure.digestDisk(diskId)).sha256).toBe(sha256)
}

/** Changes the disk at random and backs it up; the digest is of what the point must hold. */
export async function backUpChanged(
  scene: Scene,
  diskId: string,
  seed: number,
  options: Partial<BackupOptions> = {},
): Promise<{ point: RecoveryPoint; sha256: string }> {
  await createRandomDisk(scene.azure, diskId, REACH_BYTES, seed).change(CHANGES)
  const { sha256 } = await scene.azure.digestDisk(diskId)
  const { point } = await scene.backUp(diskId, options)
  return { point, sha256 }
}

/** Two points, of which the newer is restored; one source snapshot, one blob snapshot a point, no SAS. */
export async function expectRoundTrip(scene: Scene, diskId: string, seed: number): Promise<void> {
  const first = await backUpChanged(scene, diskId, seed)
  const second = await backUpChanged(scene, diskId, seed + 1)
  expect([first.point.kind, second.point.kind]).toEqual(['full', 'incremental'])
  await expectTidy(scene, diskId, 2)
  await expectRestorable(scene, second.point.id, second.sha256)
  expect(scene.azure.grantedAccess()).toEqual([])
}

/** What the runs of a disk may leave behind: its points and its cursor. */
export async function expectTidy(scene: Scene, diskId: string, points: number): Promise<void> {
  const found = await scene.points(diskId)
  expect(found).toHaveLength(points)
  const base = new BaseBlob(scene.clients, scene.targetUrl, found[0]!.baseBlob.name)
  expect((await base.listSnapshots()).map(({ snapshot }) => snapshot).sort()).toEqual(found.map(({ baseBlob }) => baseBlob.snapshot).sort())
  const { name } = found[0]!.disk
  expect((await scene.sourceSnapshots()).filter((snapshot) => snapshot.startsWith(`sf-${name}-`))).toHaveLength(1)
  expect(scene.azure.grantedAccess()).toEqual([])
}
