/**
 * Reads a VHDX by its specification ([MS-VHDX]), checksums included, from whatever can give bytes of it. It shares
 * nothing with what writes them.
 */

export interface Vhdx {
  readonly diskSizeBytes: number
  readonly logicalSectorBytes: number
  readonly physicalSectorBytes: number
  readonly isFixed: boolean
  readonly hasParent: boolean
  /** Bytes of the disk; they must lie in one block. */
  readonly read: (offsetBytes: number, lengthBytes: number) => Promise<Buffer>
}

type ReadFile = (offsetBytes: number, lengthBytes: number) => Promise<Buffer>

const KIB = 1024
const MIB = 1024 * KIB
const REGION_OF_BLOCKS = '66 77 c2 2d 23 f6 00 42 9d 64 11 5e 9b fd 4a 08'
const REGION_OF_METADATA = '06 a2 7c 8b 90 47 9a 4b b8 fe 57 5f 05 0f 88 6e'
const FILE_PARAMETERS = '37 67 a1 ca 36 fa 43 4d b3 b6 33 f0 aa 44 e7 6b'
const DISK_SIZE = '24 42 a5 2f 1b cd 76 48 b2 11 5d be d8 3b f4 b8'
const LOGICAL_SECTOR = '1d bf 41 81 6f a9 09 47 ba 47 f2 33 a8 fa ab 5f'
const PHYSICAL_SECTOR = 'c7 48 a3 cd 5d 44 71 44 9c c9 e9 88 52 51 c5 56'
/** Wherever a disk has an identity, it must have one. */
const PAGE_83 = 'ab 12 ca be e6 b2 23 45 93 ef c3 09 e0 00 c7 46'

export async function readVhdx(readFile: ReadFile): Promise<Vhdx> {
  const identifier = await readFile(0, 8)
  expectEqual('identifier', identifier.toString('latin1'), 'vhdxfile')
  const headers = await Promise.all([64 * KIB, 128 * KIB].map((at) => checked(readFile, at, 4 * KIB, 'head')))
  expectEqual('sequence numbers', headers[0]?.readBigUInt64LE(8) === headers[1]?.readBigUInt64LE(8), false)
  for (const header of headers) {
    expectEqual('version', header.readUInt16LE(66), 1)
    expectEqual('entries of the log', header.subarray(48, 64).equals(Buffer.alloc(16)), true)
  }
  const tables = await Promise.all([192 * KIB, 256 * KIB].map((at) => checked(readFile, at, 64 * KIB, 'regi')))
  const regions = regionsOf(tables[0] ?? Buffer.alloc(0))
  expectEqual('the second region table', tables[1]?.equals(tables[0] ?? Buffer.alloc(0)), true)

  const items = await itemsOf(readFile, found(regions, REGION_OF_METADATA))
  found(items, PAGE_83)
  const parameters = found(items, FILE_PARAMETERS)
  const blockBytes = parameters.readUInt32LE(0)
  const diskSizeBytes = Number(found(items, DISK_SIZE).readBigUInt64LE(0))
  const logicalSectorBytes = found(items, LOGICAL_SECTOR).readUInt32LE(0)
  const chunkBlocks = (2 ** 23 * logicalSectorBytes) / blockBytes
  const blocks = found(regions, REGION_OF_BLOCKS)

  return {
    diskSizeBytes,
    logicalSectorBytes,
    physicalSectorBytes: found(items, PHYSICAL_SECTOR).readUInt32LE(0),
    isFixed: (parameters.readUInt32LE(4) & 1) !== 0,
    hasParent: (parameters.readUInt32LE(4) & 2) !== 0,
    async read(offsetBytes, lengthBytes) {
      const block = Math.floor(offsetBytes / blockBytes)
      const index = block + Math.floor(block / chunkBlocks)
      if (8 * (index + 1) > blocks.lengthBytes) throw new Error(`block ${block} is behind the end of the table`)
      const entry = (await readFile(blocks.offsetBytes + 8 * index, 8)).readBigUInt64LE(0)
      expectEqual(`state of block ${block}`, entry & 7n, 6n)
      return readFile(Number(entry >> 20n) * MIB + (offsetBytes % blockBytes), lengthBytes)
    },
  }
}

async function checked(readFile: ReadFile, offsetBytes: number, lengthBytes: number, signature: string) {
  const bytes = await readFile(offsetBytes, lengthBytes)
  expectEqual(`signature at ${offsetBytes}`, bytes.toString('latin1', 0, 4), signature)
  const told = bytes.readUInt32LE(4)
  const zeroed = Buffer.from(bytes)
  zeroed.writeUInt32LE(0, 4)
  expectEqual(`checksum at ${offsetBytes}`, crc32c(zeroed), told)
  return bytes
}

interface Region {
  readonly offsetBytes: number
  readonly lengthBytes: number
}

function regionsOf(table: Buffer): Map<string, Region> {
  return new Map(
    Array.from({ length: table.readUInt32LE(8) }, (_, index) => {
      const at = 16 + 32 * index
      const region = { offsetBytes: Number(table.readBigUInt64LE(at + 16)), lengthBytes: table.readUInt32LE(at + 24) }
      expectEqual('alignment of a region', (region.offsetBytes % MIB) + (region.lengthBytes % MIB), 0)
      return [guidAt(table, at), region] as const
    }),
  )
}

async function itemsOf(readFile: ReadFile, { offsetBytes }: Region): Promise<Map<string, Buffer>> {
  const table = await readFile(offsetBytes, 64 * KIB)
  expectEqual('signature of the metadata', table.toString('latin1', 0, 8), 'metadata')
  const items = new Map<string, Buffer>()
  for (let index = 0; index < table.readUInt16LE(10); index += 1) {
    const at = 32 + 32 * index
    const valueOffset = table.readUInt32LE(at + 16)
    if (valueOffset < 64 * KIB) throw new Error(`metadata item ${index} lies in the table`)
    items.set(guidAt(table, at), await readFile(offsetBytes + valueOffset, table.readUInt32LE(at + 20)))
  }
  return items
}

function guidAt(bytes: Buffer, at: number): string {
  return [...bytes.subarray(at, at + 16)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
}

function found<Value>(map: Map<string, Value>, key: string): Value {
  const value = map.get(key)
  if (value === undefined) throw new Error(`no ${key}`)
  return value
}

function expectEqual(what: string, actual: unknown, expected: unknown): void {
  if (actual !== expected) throw new Error(`${what}: ${String(actual)} instead of ${String(expected)}`)
}

/** Bit by bit, unlike the one under test. */
function crc32c(data: Buffer): number {
  let register = 0xffffffff
  for (const byte of data) {
    register ^= byte
    for (let bit = 0; bit < 8; bit += 1) register = (register >>> 1) ^ (0x82f63b78 & -(register & 1))
  }
  return (register ^ 0xffffffff) >>> 0
}
