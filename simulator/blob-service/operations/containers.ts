import { readMetadata, metadataHeaders } from '../metadata.ts'
import { checkReadConditions, checkWriteConditions } from '../conditions.ts'
import { Container } from '../model/container.ts'
import {
  DELETE_CONTAINER,
  READ_CONTAINER,
  WRITE_CONTAINER,
  type Operation,
  type OperationContext,
} from '../operation.ts'
import type { Reply } from '../reply.ts'
import { StorageError } from '../storage-error.ts'
import { requireContainer, validatorHeaders } from './lookup.ts'

/** Create, delete, properties and metadata of containers. A deleted container is gone at once; its name is free. */

const CONTAINER = { levels: ['container'], restype: 'container' } as const

export const containerOperations: readonly Operation[] = [
  { ...CONTAINER, name: 'CreateContainer', method: 'PUT', access: WRITE_CONTAINER, run: createContainer },
  { ...CONTAINER, name: 'DeleteContainer', method: 'DELETE', access: DELETE_CONTAINER, run: deleteContainer },
  { ...CONTAINER, name: 'GetContainerProperties', method: 'GET', access: READ_CONTAINER, run: getProperties },
  { ...CONTAINER, name: 'GetContainerProperties', method: 'HEAD', access: READ_CONTAINER, run: getProperties },
  {
    ...CONTAINER,
    name: 'GetContainerMetadata',
    method: 'GET',
    comp: 'metadata',
    access: READ_CONTAINER,
    run: getProperties,
  },
  {
    ...CONTAINER,
    name: 'GetContainerMetadata',
    method: 'HEAD',
    comp: 'metadata',
    access: READ_CONTAINER,
    run: getProperties,
  },
  {
    ...CONTAINER,
    name: 'SetContainerMetadata',
    method: 'PUT',
    comp: 'metadata',
    access: WRITE_CONTAINER,
    run: setMetadata,
  },
]

/** 3 to 63 lower-case letters, digits and single hyphens; `$root` and friends are not offered. */
const NAME = /^(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*$/

function createContainer(context: OperationContext): Reply {
  const { request, account, service } = context
  if (!NAME.test(request.containerName)) throw new StorageError('InvalidResourceName')
  if (request.header('x-ms-blob-public-access') !== undefined) throw new StorageError('PublicAccessNotPermitted')
  if (account.containers.has(request.containerName)) throw new StorageError('ContainerAlreadyExists')
  const { clock } = service
  const container = new Container(request.containerName, readMetadata(request), clock.nextETag(), clock.now())
  account.containers.set(container.name, container)
  service.ledger.containerChanged(account.name, container)
  return { status: 201, headers: validatorHeaders(container) }
}

function deleteContainer(context: OperationContext): Reply {
  const container = requireContainer(context)
  checkWriteConditions(context.request, container)
  context.account.containers.delete(container.name)
  context.service.ledger.containerGone(context.account.name, container.name)
  return { status: 202 }
}

function getProperties(context: OperationContext): Reply {
  const container = requireContainer(context)
  checkReadConditions(context.request, container)
  return {
    status: 200,
    headers: {
      ...validatorHeaders(container),
      ...metadataHeaders(container.metadata),
      'x-ms-lease-status': 'unlocked',
      'x-ms-lease-state': 'available',
      'x-ms-has-immutability-policy': 'false',
      'x-ms-has-legal-hold': 'false',
    },
  }
}

function setMetadata(context: OperationContext): Reply {
  const { request, account, service } = context
  const container = requireContainer(context)
  checkWriteConditions(request, container)
  container.metadata = readMetadata(request)
  container.etag = service.clock.nextETag()
  container.lastModified = service.clock.now()
  service.ledger.containerChanged(account.name, container)
  return { status: 200, headers: validatorHeaders(container) }
}
