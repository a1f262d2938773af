/**
 * The inner loop of CRC-64/NVME as WebAssembly, assembled here: 64-bit words, which JavaScript's numbers do not have, and sixteen bytes a step
 * by sixteen tables. Four times as fast as the same in JavaScript with 32-bit halves (1.2 GiB against 0.3 GiB a second of one core).
 *
 *     loop: sum ^= load(at); next = load(at + 8)
 *           sum = T15[sum byte 0] ^ … ^ T8[sum byte 7] ^ T7[next byte 0] ^ … ^ T0[next byte 7]
 *
 * One memory for all calls: they are synchronous, so no two of them meet in it.
 */

const POLYNOMIAL = 0x9a6c9329ac4bc9b5n
const STEP_BYTES = 16
const TABLE_BYTES = 256 * 8
/** Behind the tables. */
const DATA_AT = STEP_BYTES * TABLE_BYTES
/** What is longer is summed up in parts. */
const DATA_BYTES = 1024 * 1024
const WASM_PAGE_BYTES = 65_536

/** Register before and after; no initial value, no inversion. */
export function continueSum(sum: bigint, data: Uint8Array): bigint {
  let register = sum
  for (let at = 0; at < data.length; at += DATA_BYTES) {
    const part = data.subarray(at, at + DATA_BYTES)
    memory.set(part, DATA_AT)
    const wholeBytes = part.length - (part.length % STEP_BYTES)
    register = BigInt.asUintN(64, kernel(DATA_AT, DATA_AT + wholeBytes, register))
    for (let index = wholeBytes; index < part.length; index += 1) {
      register = (register >> 8n) ^ tables[Number((register ^ BigInt(part[index]!)) & 0xffn)]!
    }
  }
  return register
}

/** Locals of the function: two pointers into the memory, the register, and the second word of a step. */
const AT = 0
const END = 1
const SUM = 2
const NEXT = 3

const I32 = 0x7f
const I64 = 0x7e
const get = (local: number): number[] => [0x20, local]
const set = (local: number): number[] => [0x21, local]
const load64 = (offset: number): number[] => [0x29, 3, ...unsigned(offset)]
const i32Const = (value: number): number[] => [0x41, ...signed(value)]
const XOR = [0x85]

/** The entry that table `slice` has for a byte of a local. */
function lookUp(local: number, byte: number, slice: number): number[] {
  const shifted = byte === 0 ? get(local) : [...get(local), 0x42, ...signed(byte * 8), 0x88]
  const index = [...shifted, 0xa7, ...i32Const(0xff), 0x71]
  return [...index, ...i32Const(3), 0x74, ...load64(slice * TABLE_BYTES)]
}

const MAGIC_AND_VERSION = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]

function assemble(): Uint8Array<ArrayBuffer> {
  const bytes = [0, 1, 2, 3, 4, 5, 6, 7]
  const firstWord = [...get(SUM), ...get(AT), ...load64(0), ...XOR, ...set(SUM)]
  const secondWord = [...get(AT), ...load64(8), ...set(NEXT)]
  const advance = [...get(AT), ...i32Const(STEP_BYTES), 0x6a, ...set(AT)]
  const step = [
    ...firstWord,
    ...secondWord,
    ...bytes.flatMap((byte) => [...lookUp(SUM, byte, 15 - byte), ...(byte === 0 ? [] : XOR)]),
    ...bytes.flatMap((byte) => [...lookUp(NEXT, byte, 7 - byte), ...XOR]),
    ...set(SUM),
    ...advance,
  ]
  // block, loop: leave where at >= end, else do a step and go on.
  const body = [0x02, 0x40, 0x03, 0x40, ...get(AT), ...get(END), 0x4f, 0x0d, 1, ...step, 0x0c, 0, 0x0b, 0x0b, ...get(SUM), 0x0b]
  const code = [1, 1, I64, ...body]
  const pages = Math.ceil((DATA_AT + DATA_BYTES) / WASM_PAGE_BYTES)
  return Uint8Array.from([
    ...MAGIC_AND_VERSION,
    ...section(1, [1, 0x60, 3, I32, I32, I64, 1, I64]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, ...unsigned(pages)]),
    ...section(7, [2, ...name('sum'), 0, 0, ...name('memory'), 2, 0]),
    ...section(10, [1, ...unsigned(code.length), ...code]),
  ])
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...unsigned(content.length), ...content]
}

function name(text: string): number[] {
  return [text.length, ...Buffer.from(text)]
}

/** LEB128. */
function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)]
}

/** Signed LEB128 of a number that is not negative: its last byte must not look negative. */
function signed(value: number): number[] {
  return value < 0x40 ? [value] : [(value & 0x7f) | 0x80, ...signed(value >>> 7)]
}

/** TypeScript knows it only together with the DOM. */
declare const WebAssembly: {
  readonly Module: new (code: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: unknown }
}

const { sum: kernel, memory: shared } = new WebAssembly.Instance(new WebAssembly.Module(assemble())).exports as {
  readonly sum: (at: number, end: number, register: bigint) => bigint
  readonly memory: { readonly buffer: ArrayBuffer }
}
const memory = new Uint8Array(shared.buffer)
/** Table `s` holds, at `s * 256 + byte`, what the byte does to the sum when `s` more bytes follow it. */
const tables = new BigUint64Array(shared.buffer, 0, STEP_BYTES * 256)

for (let byte = 0; byte < 256; byte += 1) {
  let sum = BigInt(byte)
  for (let bit = 0; bit < 8; bit += 1) sum = (sum & 1n) === 1n ? (sum >> 1n) ^ POLYNOMIAL : sum >> 1n
  tables[byte] = sum
}
for (let index = 256; index < tables.length; index += 1) {
  const previous = tables[index - 256]!
  tables[index] = (previous >> 8n) ^ tables[Number(previous & 0xffn)]!
}
