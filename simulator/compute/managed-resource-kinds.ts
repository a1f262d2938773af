import type { ComputeState } from './compute-state.ts'
import { createDisk } from './create-disk.ts'
import { createSnapshot, replaceSnapshot, updateSnapshot } from './create-snapshot.ts'
import type { DiskSnapshot, ManagedDisk } from './disk-model.ts'
import { checkDiskDelete, checkSnapshotDelete, removeDisk, removeSnapshot } from './remove-resource.ts'
import type { ManagedResourceKind } from './managed-resource-routes.ts'
import {
  diskBodySchema,
  diskUpdateSchema,
  snapshotBodySchema,
  snapshotUpdateSchema,
  type DiskBody,
  type DiskUpdate,
  type SnapshotBody,
  type SnapshotUpdate,
} from './request-bodies.ts'
import { diskDocument, snapshotDocument } from './resource-document.ts'
import { replaceDisk, updateDisk } from './update-disk.ts'

/** What makes a managed resource a disk, and what a snapshot. */

export function diskKind(state: ComputeState): ManagedResourceKind<ManagedDisk, DiskBody, DiskUpdate> {
  return {
    type: 'disks',
    operationGroup: 'Disks',
    table: state.disks,
    bodySchema: diskBodySchema,
    updateSchema: diskUpdateSchema,
    creationDataOf: (body) => body.properties.creationData,
    create: (id, body) => createDisk(state, id, body),
    replace: (disk, body) => replaceDisk(state, disk, body),
    update: (disk, update) => updateDisk(state, disk, update),
    checkDelete: (disk) => checkDiskDelete(state, disk),
    remove: (disk) => removeDisk(state, disk),
    document: (disk) => diskDocument(state, disk),
  }
}

export function snapshotKind(state: ComputeState): ManagedResourceKind<DiskSnapshot, SnapshotBody, SnapshotUpdate> {
  return {
    type: 'snapshots',
    operationGroup: 'Snapshots',
    table: state.snapshots,
    bodySchema: snapshotBodySchema,
    updateSchema: snapshotUpdateSchema,
    creationDataOf: (body) => body.properties.creationData,
    create: (id, body) => createSnapshot(state, id, body),
    replace: replaceSnapshot,
    update: updateSnapshot,
    checkDelete: (snapshot) => checkSnapshotDelete(state, snapshot),
    remove: (snapshot) => removeSnapshot(state, snapshot),
    document: (snapshot) => snapshotDocument(state, snapshot),
  }
}
