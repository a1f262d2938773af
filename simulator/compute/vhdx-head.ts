import { crc32c } from './crc32c.ts'
import { guidBytes, VHDX_GUIDS } from './vhdx-guids.ts'
import type { ExportHead } from '../blob-service/published-blob.ts'

/**
 * All of a VHDX that stands before its content: identifier, headers, region tables, an empty log, metadata and block
 * allocation table ([MS-VHDX], Virtual Hard Disk v2 File Format). Behind it the content lies as it is in the disk, for
 * every block is present and in order: a fixed VHDX.
 *
 * The layout is the largest blocks that there are, 256 MiB, and a table for 64 TiB, so that the head of every disk has
 * the same 6 MiB. Sectors have 4,096 bytes.
 */

const KIB = 1024
const MIB = 1024 * KIB
const BLOCK_BYTES = 256 * MIB
const SECTOR_BYTES = 4096
/** Payload blocks between two entries for sector bitmaps. */
const CHUNK_BLOCKS = (2 ** 23 * SECTOR_BYTES) / BLOCK_BYTES

const HEADER_OFFSETS = [64 * KIB, 128 * KIB]
const HEADER_BYTES = 4 * KIB
const REGION_TABLE_OFFSETS = [192 * KIB, 256 * KIB]
const REGION_TABLE_BYTES = 64 * KIB
const LOG = { offsetBytes: MIB, lengthBytes: MIB }
const METADATA = { offsetBytes: 2 * MIB, lengthBytes: MIB }
const BLOCK_TABLE = { offsetBytes: 3 * MIB, lengthBytes: 3 * MIB }
export const VHDX_HEAD_BYTES = 6 * MIB

/** In a region entry, a region that a reader must know. */
const REQUIRED_REGION = 1
const ITEMS_OFFSET = 64 * KIB
/** Of a metadata item: it is about the virtual disk, and a reader must know it. */
const OF_DISK = 2
const REQUIRED_ITEM = 4
const LEAVE_BLOCKS_ALLOCATED = 1
const FULLY_PRESENT = 6n

export interface VhdxFields {
  /** Of the content; a multiple of 4,096. */
  readonly diskSizeBytes: number
  /** A UUID. */
  readonly uniqueId: string
}

/** The same fields give the same bytes. */
export function createVhdxHead(fields: VhdxFields): ExportHead {
  const id = guidBytes(fields.uniqueId)
  return {
    sizeBytes: VHDX_HEAD_BYTES,
    parts: [
      { offsetBytes: 0, bytes: fileIdentifier() },
      ...HEADER_OFFSETS.map((offsetBytes, index) => ({ offsetBytes, bytes: header(id, BigInt(index)) })),
      ...REGION_TABLE_OFFSETS.map((offsetBytes) => ({ offsetBytes, bytes: regionTable() })),
      { offsetBytes: METADATA.offsetBytes, bytes: metadata(id, fields.diskSizeBytes) },
      { offsetBytes: BLOCK_TABLE.offsetBytes, bytes: blockTable(Math.ceil(fields.diskSizeBytes / BLOCK_BYTES)) },
    ],
  }
}

function fileIdentifier(): Buffer {
  const creator = Buffer.from('local Azure', 'utf16le')
  return Buffer.concat([Buffer.from('vhdxfile', 'latin1'), creator])
}

/** Of the two the one with the higher sequence number counts. An empty GUID of the log says that it is empty. */
function header(id: Buffer, sequenceNumber: bigint): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES)
  bytes.write('head', 0, 'latin1')
  bytes.writeBigUInt64LE(sequenceNumber, 8)
  id.copy(bytes, 16)
  id.copy(bytes, 32)
  bytes.writeUInt16LE(1, 66) // file format version
  bytes.writeUInt32LE(LOG.lengthBytes, 68)
  bytes.writeBigUInt64LE(BigInt(LOG.offsetBytes), 72)
  return withChecksum(bytes)
}

function regionTable(): Buffer {
  const bytes = Buffer.alloc(REGION_TABLE_BYTES)
  const regions = [[VHDX_GUIDS.blockTable, BLOCK_TABLE], [VHDX_GUIDS.metadata, METADATA]] as const
  bytes.write('regi', 0, 'latin1')
  bytes.writeUInt32LE(regions.length, 8)
  for (const [index, [guid, region]] of regions.entries()) {
    const at = 16 + 32 * index
    guidBytes(guid).copy(bytes, at)
    bytes.writeBigUInt64LE(BigInt(region.offsetBytes), at + 16)
    bytes.writeUInt32LE(region.lengthBytes, at + 24)
    bytes.writeUInt32LE(REQUIRED_REGION, at + 28)
  }
  return withChecksum(bytes)
}

function metadata(id: Buffer, diskSizeBytes: number): Buffer {
  const items = [
    { guid: VHDX_GUIDS.fileParameters, flags: REQUIRED_ITEM, value: numbers(BLOCK_BYTES, LEAVE_BLOCKS_ALLOCATED) },
    { guid: VHDX_GUIDS.virtualDiskSize, flags: OF_DISK | REQUIRED_ITEM, value: long(diskSizeBytes) },
    { guid: VHDX_GUIDS.page83, flags: OF_DISK | REQUIRED_ITEM, value: id },
    { guid: VHDX_GUIDS.logicalSectorSize, flags: OF_DISK | REQUIRED_ITEM, value: numbers(SECTOR_BYTES) },
    { guid: VHDX_GUIDS.physicalSectorSize, flags: OF_DISK | REQUIRED_ITEM, value: numbers(SECTOR_BYTES) },
  ]
  const table = Buffer.alloc(ITEMS_OFFSET)
  table.write('metadata', 0, 'latin1')
  table.writeUInt16LE(items.length, 10)
  let valueOffset = ITEMS_OFFSET
  for (const [index, { guid, flags, value }] of items.entries()) {
    const at = 32 + 32 * index
    guidBytes(guid).copy(table, at)
    table.writeUInt32LE(valueOffset, at + 16)
    table.writeUInt32LE(value.length, at + 20)
    table.writeUInt32LE(flags, at + 24)
    valueOffset += value.length
  }
  return Buffer.concat([table, ...items.map(({ value }) => value)])
}

/** A place and a state for each block; behind each chunk of them an entry for its sector bitmap, of which there is none. */
function blockTable(blocks: number): Buffer {
  const bytes = Buffer.alloc(8 * (blocks + Math.floor((blocks - 1) / CHUNK_BLOCKS)))
  for (let block = 0; block < blocks; block += 1) {
    const place = BigInt(VHDX_HEAD_BYTES + block * BLOCK_BYTES)
    bytes.writeBigUInt64LE(place | FULLY_PRESENT, 8 * (block + Math.floor(block / CHUNK_BLOCKS)))
  }
  return bytes
}

/** Over all of it, with the field of the checksum itself at zero. */
function withChecksum(bytes: Buffer): Buffer {
  bytes.writeUInt32LE(crc32c(bytes), 4)
  return bytes
}

function numbers(...values: number[]): Buffer {
  return Buffer.from(Uint32Array.from(values).buffer)
}

function long(value: number): Buffer {
  return Buffer.from(BigUint64Array.of(BigInt(value)).buffer)
}
