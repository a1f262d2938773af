import { randomUUID } from 'node:crypto'
import { BODY_CHECKSUMS, md5Base64, verifyChecksum } from '../checksums.ts'
import { readMetadata } from '../metadata.ts'
import { Blob, type Block, type BlockBlobState } from '../model/blob.ts'
import { CREATE_BLOB, READ_BLOB, type Operation, type OperationContext } from '../operation.ts'
import { xmlReply, type Reply } from '../reply.ts'
import { StorageError } from '../storage-error.ts'
import { parseXmlChildren, xmlElement, xmlText } from '../xml.ts'
import { PAGE_BYTES, type FrozenVolume } from '../../store/volume.ts'
import { readHttpProperties } from './blob-headers.ts'
import { createTarget, putBlobState, readTarget, refuseWhileCopied, requireContainer, validatorHeaders } from './lookup.ts'

/** Block blobs: Put Blob, Put Block, Put Block List, Get Block List. */
export const blockBlobOperations: readonly Operation[] = [
  {
    name: 'PutBlob',
    method: 'PUT',
    levels: ['blob'],
    when: (request) => request.header('x-ms-blob-type') === 'BlockBlob',
    access: CREATE_BLOB,
    run: putBlob,
  },
  { name: 'PutBlock', method: 'PUT', levels: ['blob'], comp: 'block', access: CREATE_BLOB, run: putBlock },
  { name: 'PutBlockList', method: 'PUT', levels: ['blob'], comp: 'blocklist', access: CREATE_BLOB, run: putBlockList },
  { name: 'GetBlockList', method: 'GET', levels: ['blob'], comp: 'blocklist', access: READ_BLOB, run: getBlockList },
]

/** Large bodies are stored in pieces of this length, so that none is held in memory whole. */
const PIECE_BYTES = 4 * 2 ** 20
const MAX_BLOCKS = 50_000
const MAX_BLOCK_LIST_BYTES = 16 * 2 ** 20

async function putBlob(context: OperationContext): Promise<Reply> {
  const { request, service } = context
  requireBlockBlobs(context)
  if (request.contentLength() > service.limits.maxPutBlobBytes) throw new StorageError('RequestBodyTooLarge')
  createTarget(context)
  const { block, headers } = await storeBody(context, '')
  const http = readHttpProperties(request, true)
  const md5 = http.contentMd5 ?? headers['Content-MD5']
  const state = commit(context, block.sizeBytes === 0 ? [] : [block], { ...http, contentMd5: md5 })
  return { status: 201, headers: { ...validatorHeaders(state), ...headers, 'x-ms-request-server-encrypted': 'true' } }
}

async function putBlock(context: OperationContext): Promise<Reply> {
  const { request, service } = context
  requireBlockBlobs(context)
  const container = requireContainer(context)
  const id = request.query.get('blockid')
  if (id === null) throw new StorageError('MissingRequiredQueryParameter', { reason: 'blockid' })
  requireBlockId(id)
  if (request.contentLength() > service.limits.maxBlockBytes) throw new StorageError('RequestBodyTooLarge')
  if (request.contentLength() === 0) throw new StorageError('InvalidHeaderValue', { reason: 'Content-Length' })
  const { block, headers } = await storeBody(context, id)
  const blob = container.blob(request.blobName) ?? new Blob(request.blobName)
  blob.lease.checkWrite(service.clock.now().getTime(), request.header('x-ms-lease-id'))
  refuseWhileCopied(blob)
  blob.uncommittedBlocks.set(id, block)
  container.add(blob)
  service.ledger.blobChanged(context.account, container.name, blob)
  return { status: 201, headers: { ...headers, 'x-ms-request-server-encrypted': 'true' } }
}

async function putBlockList(context: OperationContext): Promise<Reply> {
  const { request } = context
  requireBlockBlobs(context)
  const body = await request.body(MAX_BLOCK_LIST_BYTES)
  const headers = verifyChecksum(request, body, BODY_CHECKSUMS)
  const wanted = parseXmlChildren(body.toString('utf8'), 'BlockList')
  if (wanted.length > MAX_BLOCKS) throw new StorageError('InvalidBlockList')
  const { blob } = createTarget(context)
  const committed = new Map(blob.base?.type === 'BlockBlob' ? blob.base.blocks.map((block) => [block.id, block]) : [])
  const blocks = wanted.map(({ name, text }) => {
    const block = findBlock(name, text, committed, blob.uncommittedBlocks)
    if (block === undefined) throw new StorageError('InvalidBlockList')
    return block
  })
  const state = commit(context, blocks, readHttpProperties(request, false))
  return { status: 201, headers: { ...validatorHeaders(state), ...headers, 'x-ms-request-server-encrypted': 'true' } }
}

function getBlockList(context: OperationContext): Reply {
  const { request } = context
  const blob = requireContainer(context).blob(request.blobName)
  const type = request.query.get('blocklisttype')?.toLowerCase() ?? 'committed'
  if (blob !== undefined && blob.base === undefined && blob.uncommittedBlocks.size > 0) {
    return xmlReply(xmlElement('BlockList', listXml('UncommittedBlocks', [...blob.uncommittedBlocks.values()])))
  }
  const { state } = readTarget(context)
  if (state.type !== 'BlockBlob') throw new StorageError('InvalidBlobType')
  const committed = type === 'uncommitted' ? '' : listXml('CommittedBlocks', state.blocks)
  const uncommitted =
    type === 'committed' ? '' : listXml('UncommittedBlocks', [...(blob?.uncommittedBlocks.values() ?? [])])
  return xmlReply(xmlElement('BlockList', committed + uncommitted), validatorHeaders(state))
}

function requireBlockBlobs({ account }: OperationContext): void {
  if (!account.takesBlockBlobs)
    throw new StorageError('BlobTypeNotSupported', { message: 'Block blobs are not supported.' })
}

/** Base64 of at most 64 bytes. */
function requireBlockId(id: string): void {
  const bytes = Buffer.from(id, 'base64')
  if (bytes.length === 0 || bytes.length > 64 || bytes.toString('base64') !== id)
    throw new StorageError('InvalidBlockId')
}

function findBlock(
  list: string,
  id: string,
  committed: ReadonlyMap<string, Block>,
  uncommitted: ReadonlyMap<string, Block>,
): Block | undefined {
  switch (list) {
    case 'Committed':
      return committed.get(id)
    case 'Uncommitted':
      return uncommitted.get(id)
    case 'Latest':
      return uncommitted.get(id) ?? committed.get(id)
    default:
      throw new StorageError('InvalidXmlDocument')
  }
}

/** Reads the body into a volume, checked against its checksum when it is small enough to be one piece. */
async function storeBody(
  context: OperationContext,
  id: string,
): Promise<{ block: Block; headers: Record<string, string> }> {
  const { request, service } = context
  const sizeBytes = request.contentLength()
  const volume = service.store.createVolume(Math.ceil(sizeBytes / PAGE_BYTES) * PAGE_BYTES)
  if (sizeBytes <= PIECE_BYTES) {
    const data = await request.body(PIECE_BYTES)
    const headers = verifyChecksum(request, data, BODY_CHECKSUMS)
    await volume.write(0, paddedToPages(data))
    return { block: { id, sizeBytes, bytes: volume.freeze() }, headers: { 'Content-MD5': md5Base64(data), ...headers } }
  }
  let offsetBytes = 0
  for await (const piece of request.bodyPieces(PIECE_BYTES)) {
    await volume.write(offsetBytes, paddedToPages(piece))
    offsetBytes += piece.length
  }
  return {
    block: { id, sizeBytes, bytes: volume.freeze() },
    headers: await verifyStored(context, volume.freeze(), sizeBytes),
  }
}

/** @throws StorageError as `verifyChecksum`; only a checksum that the client sent is worth a second reading. */
async function verifyStored(
  { request }: OperationContext,
  bytes: FrozenVolume,
  sizeBytes: number,
): Promise<Record<string, string>> {
  const isChecked = request.header('content-md5') !== undefined || request.header('x-ms-content-crc64') !== undefined
  return isChecked ? verifyChecksum(request, await bytes.read(0, sizeBytes), BODY_CHECKSUMS) : {}
}

function paddedToPages(data: Buffer): Buffer {
  const tail = data.length % PAGE_BYTES
  return tail === 0 ? data : Buffer.concat([data, Buffer.alloc(PAGE_BYTES - tail)])
}

function commit(context: OperationContext, blocks: readonly Block[], http: BlockBlobState['http']): BlockBlobState {
  const { blob } = createTarget(context)
  const now = context.service.clock.now()
  return putBlobState<BlockBlobState>(context, blob, {
    type: 'BlockBlob',
    blocks,
    http,
    metadata: readMetadata(context.request),
    createdAt: blob.base?.createdAt ?? now,
    lastModified: now,
    etag: '',
    generation: randomUUID(),
    copy: undefined,
  })
}

function listXml(name: string, blocks: readonly Block[]): string {
  const items = blocks.map((block) => xmlElement('Block', xmlText('Name', block.id) + xmlText('Size', block.sizeBytes)))
  return xmlElement(name, items.join(''))
}
