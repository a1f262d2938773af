/**
 * The inner loop of CRC-64/NVME as a WebAssembly module, made here instruction by instruction: JavaScript has no fast
 * 64-bit integers. Sixteen tables take sixteen bytes a step ("slicing by 16"); what is left goes byte by byte.
 *
 * In its memory lie the tables, and behind them a window for the data.
 */

const POLYNOMIAL = 0x9a6c9329ac4bc9b5n
const SLICES = 16
const TABLE_BYTES = 256 * 8
const PAGE_BYTES = 64 * 1024
const WINDOW_OFFSET = PAGE_BYTES
/** Small enough to stay in the cache of a core between being filled and being read. */
const WINDOW_BYTES = 4 * PAGE_BYTES

/** What is used of it; its types come with those of browsers only. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: object }
}

export interface Crc64Kernel {
  /** At most so much data at a time is copied here. */
  readonly window: Uint8Array
  /** The register, a signed 64-bit number, after so many bytes from the beginning of the window. */
  readonly update: (register: bigint, lengthBytes: number) => bigint
}

export function createCrc64Kernel(): Crc64Kernel {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(moduleBytes()))
  const { memory, update } = exports as {
    memory: { buffer: ArrayBuffer }
    update: (register: bigint, start: number, end: number) => bigint
  }
  new BigUint64Array(memory.buffer, 0, 256 * SLICES).set(tables())
  return {
    window: new Uint8Array(memory.buffer, WINDOW_OFFSET, WINDOW_BYTES),
    update: (register, lengthBytes) => update(register, WINDOW_OFFSET, WINDOW_OFFSET + lengthBytes),
  }
}

/** Table n takes a byte that stands n bytes before the end of the step. */
function tables(): bigint[] {
  const entries: bigint[] = []
  for (let byte = 0n; byte < 256n; byte += 1n) {
    let entry = byte
    for (let bit = 0; bit < 8; bit += 1) entry = (entry >> 1n) ^ (entry & 1n ? POLYNOMIAL : 0n)
    entries.push(entry)
  }
  for (let index = 256; index < 256 * SLICES; index += 1) {
    const before = entries[index - 256] as bigint
    entries.push((before >> 8n) ^ (entries[Number(before & 255n)] as bigint))
  }
  return entries
}

// Instructions, as the WebAssembly Core Specification names them.
const [I32, I64, VOID, END] = [0x7f, 0x7e, 0x40, 0x0b]
const get = (local: number): number[] => [0x20, local]
const set = (local: number): number[] => [0x21, local]
const i32Const = (value: number): number[] => [0x41, ...signed(value)]
const i64Const = (value: number): number[] => [0x42, ...signed(value)]
const i64Load = (offset: number): number[] => [0x29, 3, ...unsigned(offset)]
const [I32_LOAD8_U, I32_LE_U, I32_LT_U, I32_ADD, I32_AND, I32_SHL] = [0x2d, 0x4d, 0x49, 0x6a, 0x71, 0x74]
const [I64_AND, I64_XOR, I64_SHL, I64_SHR_U] = [0x83, 0x85, 0x86, 0x88]
const [I32_WRAP_I64, I64_EXTEND_I32_U] = [0xa7, 0xad]

// Locals of the function: its parameters, then its own.
const [REGISTER, AT, ENDS, FIRST, SECOND] = [0, 1, 2, 3, 4]

function functionBody(): number[] {
  return [
    // while (AT + 16 <= ENDS)
    ...whileLoop([...get(AT), ...i32Const(16), I32_ADD, ...get(ENDS), I32_LE_U], [
      ...get(AT), ...i64Load(0), ...get(REGISTER), I64_XOR, ...set(FIRST),
      ...get(AT), ...i64Load(8), ...set(SECOND),
      ...Array.from({ length: SLICES }, (_, index) => [
        ...lookUp(index < 8 ? FIRST : SECOND, index % 8, SLICES - 1 - index),
        ...(index === 0 ? [] : [I64_XOR]),
      ]).flat(),
      ...set(REGISTER),
      ...advance(16),
    ]),
    // while (AT < ENDS)
    ...whileLoop([...get(AT), ...get(ENDS), I32_LT_U], [
      ...get(REGISTER), ...i64Const(8), I64_SHR_U,
      ...get(REGISTER), ...get(AT), I32_LOAD8_U, 0, 0, I64_EXTEND_I32_U, I64_XOR, ...i64Const(255), I64_AND,
      I32_WRAP_I64, ...i32Const(3), I32_SHL, ...i64Load(0),
      I64_XOR, ...set(REGISTER),
      ...advance(1),
    ]),
    ...get(REGISTER),
  ]
}

/** What a table says for one byte of a local. An entry has eight bytes, so the byte is left at three bits up. */
function lookUp(local: number, byte: number, table: number): number[] {
  const shift = byte === 0 ? [...i64Const(3), I64_SHL] : [...i64Const(8 * byte - 3), I64_SHR_U]
  return [...get(local), ...shift, I32_WRAP_I64, ...i32Const(255 << 3), I32_AND, ...i64Load(table * TABLE_BYTES)]
}

function advance(bytes: number): number[] {
  return [...get(AT), ...i32Const(bytes), I32_ADD, ...set(AT)]
}

function whileLoop(condition: number[], body: number[]): number[] {
  const [IF, BR, LOOP] = [0x04, 0x0c, 0x03]
  return [LOOP, VOID, ...condition, IF, VOID, ...body, BR, 1, END, END]
}

function moduleBytes(): Uint8Array {
  const locals = [1, 2, I64]
  const code = [...locals, ...functionBody(), END]
  const section = (id: number, content: number[]): number[] => [id, ...unsigned(content.length), ...content]
  const name = (text: string): number[] => [text.length, ...Buffer.from(text)]
  return Uint8Array.from([
    ...Buffer.from('\0asm'), 1, 0, 0, 0,
    ...section(1, [1, 0x60, 3, I64, I32, I32, 1, I64]), // type 0: (i64, i32, i32) -> i64
    ...section(3, [1, 0]), // function 0 is of it
    ...section(5, [1, 0, (WINDOW_OFFSET + WINDOW_BYTES) / PAGE_BYTES]), // a memory
    ...section(7, [2, ...name('memory'), 2, 0, ...name('update'), 0, 0]),
    ...section(10, [1, ...unsigned(code.length), ...code]),
  ])
}

/** LEB128, as WebAssembly writes numbers. */
function unsigned(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)]
}

function signed(value: number): number[] {
  return value >= -64 && value < 64 ? [value & 127] : [(value & 127) | 128, ...signed(value >> 7)]
}
