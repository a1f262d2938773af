import type { ArmCall, ArmReply } from './arm-call.ts'
import { GROUP_PATH, PROVIDER, SUBSCRIPTION_PATH, type ArmRoute } from './arm-routes.ts'
import type { AsyncWork } from './async-operations.ts'
import type { ComputeState } from './compute-state.ts'
import { requireLinkedVm } from './linked-source.ts'
import { listPage } from './list-pages.ts'
import { parseBody } from './request-bodies.ts'
import { idOf, requireResource } from './resource-calls.ts'
import { RESTORE_POINT_TYPE, type ResourceId } from './resource-id.ts'
import { collectionDocument, restorePointDocument } from './restore-point-documents.ts'
import {
  collectionBodySchema,
  collectionUpdateSchema,
  restorePointBodySchema,
  type RestorePoint,
  type RestorePointCollection,
} from './restore-point-model.ts'
import {
  checkRestorePointDelete,
  createCollection,
  createRestorePoint,
  removeCollection,
  removeRestorePoint,
  replaceCollection,
  restorePointsOf,
} from './restore-points.ts'

/** Restore point collections, and the restore points in them. A restore point is never changed. */

const COLLECTION_TYPE = 'restorePointCollections'
const COLLECTION_ACTION = `Microsoft.Compute/${COLLECTION_TYPE}`
const COLLECTIONS_PATH = `${GROUP_PATH}/${PROVIDER}/${COLLECTION_TYPE}`
const COLLECTION_PATH = `${COLLECTIONS_PATH}/:collection`
const POINT_ACTION = `Microsoft.Compute/${RESTORE_POINT_TYPE}`
export const RESTORE_POINT_PATH = `${COLLECTION_PATH}/restorePoints/:restorePoint`

export function restorePointRoutes(state: ComputeState, baseUrl: () => string): ArmRoute[] {
  const collections = state.restorePointCollections
  const collectionOf = (call: ArmCall): RestorePointCollection =>
    requireResource(collections, idOf(call, COLLECTION_TYPE, ['collection']))
  const pointIdOf = (call: ArmCall): ResourceId => idOf(call, RESTORE_POINT_TYPE, ['collection', 'restorePoint'])
  const accept = (
    call: ArmCall,
    collection: RestorePointCollection,
    work: Pick<AsyncWork, 'perform' | 'finish'>,
  ): Promise<ArmReply> => {
    const { id, location } = collection
    return state.operations.accept(call, { kind: 'operations', subscriptionId: id.subscriptionId, location, ...work })
  }

  const putCollection = (call: ArmCall): ArmReply => {
    const id = idOf(call, COLLECTION_TYPE, ['collection'])
    const body = parseBody(collectionBodySchema, call.body)
    const existing = collections.get(id)
    if (existing === undefined) {
      requireLinkedVm(state, call, id, body.properties.source.id)
      return { status: 201, body: collectionDocument(state, createCollection(state, id, body)) }
    }
    replaceCollection(state, existing, body)
    return { status: 200, body: collectionDocument(state, existing) }
  }
  const patchCollection = (call: ArmCall): ArmReply => {
    const collection = collectionOf(call)
    collection.tags = parseBody(collectionUpdateSchema, call.body).tags ?? collection.tags
    collections.changed(collection)
    return { status: 200, body: collectionDocument(state, collection) }
  }
  const getCollection = (call: ArmCall): ArmReply => {
    const withPoints = call.query.get('$expand') === 'restorePoints'
    return { status: 200, body: collectionDocument(state, collectionOf(call), withPoints) }
  }
  const deleteCollection = (call: ArmCall): Promise<ArmReply> | ArmReply => {
    const collection = collections.get(idOf(call, COLLECTION_TYPE, ['collection']))
    if (collection === undefined) return { status: 204 }
    for (const restorePoint of restorePointsOf(state, collection)) checkRestorePointDelete(state, restorePoint)
    return accept(call, collection, { perform: () => removeCollection(state, collection) })
  }
  const listCollections = (call: ArmCall): ArmReply =>
    listPage(call, collections, {
      pageSize: state.settings().pageSize,
      baseUrl: baseUrl(),
      document: (collection) => collectionDocument(state, collection),
    })

  const putPoint = async (call: ArmCall): Promise<ArmReply> => {
    const collection = collectionOf(call)
    const id = pointIdOf(call)
    const existing = state.restorePoints.get(id)
    if (existing !== undefined) return { status: 200, body: restorePointDocument(state, existing) }
    const created = createRestorePoint(state, id, collection, parseBody(restorePointBodySchema, call.body ?? {}))
    const body = restorePointDocument(state, created)
    return { ...(await accept(call, collection, { finish: () => body })), status: 201, body }
  }
  const getPoint = (call: ArmCall): ArmReply => {
    const restorePoint: RestorePoint = requireResource(state.restorePoints, pointIdOf(call))
    const withView = call.query.get('$expand') === 'instanceView'
    return { status: 200, body: restorePointDocument(state, restorePoint, withView) }
  }
  const deletePoint = (call: ArmCall): Promise<ArmReply> | ArmReply => {
    const restorePoint = state.restorePoints.get(pointIdOf(call))
    if (restorePoint === undefined) return { status: 204 }
    checkRestorePointDelete(state, restorePoint)
    return accept(call, collectionOf(call), { perform: () => removeRestorePoint(state, restorePoint) })
  }

  const onCollections = (verb: string, rest: Omit<ArmRoute, 'operation'>): ArmRoute => ({
    operation: `RestorePointCollections_${verb}`,
    ...rest,
  })
  const onPoints = (verb: string, method: ArmRoute['method'], right: string, handle: ArmRoute['handle']): ArmRoute => ({
    operation: `RestorePoints_${verb}`,
    method,
    path: RESTORE_POINT_PATH,
    action: `${POINT_ACTION}/${right}`,
    handle,
  })
  const [read, write, remove] = ['read', 'write', 'delete'].map((right) => `${COLLECTION_ACTION}/${right}`)
  return [
    onCollections('CreateOrUpdate', { method: 'PUT', path: COLLECTION_PATH, action: write, handle: putCollection }),
    onCollections('Update', { method: 'PATCH', path: COLLECTION_PATH, action: write, handle: patchCollection }),
    onCollections('Get', { method: 'GET', path: COLLECTION_PATH, action: read, handle: getCollection }),
    onCollections('Delete', { method: 'DELETE', path: COLLECTION_PATH, action: remove, handle: deleteCollection }),
    onCollections('List', { method: 'GET', path: COLLECTIONS_PATH, action: read, handle: listCollections }),
    onCollections('ListAll', {
      method: 'GET',
      path: `${SUBSCRIPTION_PATH}/${PROVIDER}/${COLLECTION_TYPE}`,
      action: read,
      handle: listCollections,
    }),
    onPoints('Create', 'PUT', 'write', putPoint),
    onPoints('Get', 'GET', 'read', getPoint),
    onPoints('Delete', 'DELETE', 'delete', deletePoint),
  ]
}
