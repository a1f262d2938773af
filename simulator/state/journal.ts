import { closeSync, createReadStream, existsSync, openSync, writeSync } from 'node:fs'
import { mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { lockDirectory } from './directory-lock.ts'

/**
 * The write-ahead log of everything that the local Azure keeps over a restart, but the bytes of volumes.
 *
 * Services join as parts. Each change of a part is one entry, in the file before `write` returns; so a service that
 * writes before it answers has kept what it acknowledged, also when the process is killed. There is no fsync: a power
 * failure may lose the last seconds.
 *
 * Loading replays the entries of all parts in the order in which they were written, then rewrites the log as the
 * entries that make the state at once, so that it does not grow from start to start.
 */

export interface JournalPart<Entry> {
  /** Stands in every line; never to be changed. */
  readonly name: string
  /** Brings the state forward by one entry. What is applied must not be written again. */
  apply(entry: Entry): void
  /** Entries that make the present state out of nothing. Those of parts that joined earlier are applied before. */
  entries(): Iterable<Entry>
}

/** Keeps one entry of a part: plain JSON, no undefined in arrays. @throws Error when the log cannot be written. */
export type WriteEntry<Entry> = (entry: Entry) => void

export interface Journal {
  /** False: nothing is kept, and what is written costs only its making. */
  readonly isKept: boolean
  /** A part that refers to things of another joins after it. */
  join<Entry>(part: JournalPart<Entry>): WriteEntry<Entry>
  /** Called once, when all parts have joined and before any of them is used. @throws Error for a damaged log. */
  load(): Promise<void>
  /** Writes after it fail. Twice is fine. */
  close(): Promise<void>
}

/** Forgets everything. */
export const NO_JOURNAL: Journal = {
  isKept: false,
  join: () => () => {},
  load: async () => {},
  close: async () => {},
}

const LOG_FILE = 'journal.log'
/** A rewritten log takes the place of the old one only when it is whole. */
const NEXT_LOG_FILE = 'journal.next'
/** Entries are gathered to writes of about this length while a log is rewritten. */
const REWRITE_CHARACTERS = 1 << 20

/**
 * Opens the journal in a directory, which is made when it is not there.
 * @throws Error when another process has it open.
 */
export async function openJournal(directory: string): Promise<Journal> {
  await mkdir(directory, { recursive: true })
  const unlock = lockDirectory(directory)
  const parts: JournalPart<unknown>[] = []
  let log: number | undefined
  let failure: Error | undefined

  const append = (text: string): void => {
    if (failure !== undefined) throw failure
    if (log === undefined) throw new Error('the journal is not open for writing')
    try {
      writeWhole(log, text)
    } catch (error) {
      // Half a line may be in the file: whatever came after it could not be read back.
      failure = new Error('the journal could not be written', { cause: error })
      throw failure
    }
  }

  return {
    isKept: true,
    join<Entry>(part: JournalPart<Entry>): WriteEntry<Entry> {
      parts.push(part)
      return (entry) => append(lineOf(part.name, entry))
    },
    async load() {
      await replay(join(directory, LOG_FILE), parts)
      log = openSync(join(directory, NEXT_LOG_FILE), 'w')
      rewrite(parts, append)
      await rename(join(directory, NEXT_LOG_FILE), join(directory, LOG_FILE))
    },
    async close() {
      if (log !== undefined) closeSync(log)
      log = undefined
      unlock()
    },
  }
}

async function replay(path: string, parts: readonly JournalPart<unknown>[]): Promise<void> {
  const byName = new Map(parts.map((part) => [part.name, part]))
  let lineNumber = 0
  let torn: number | undefined
  for await (const line of linesOf(path)) {
    lineNumber += 1
    if (torn !== undefined) throw new Error(`${path}: line ${torn} is damaged`)
    const parsed = parseLine(line)
    if (parsed === undefined) {
      // A process that is killed in a write leaves the beginning of a line, and nothing behind it.
      torn = lineNumber
      continue
    }
    const [name, entry] = parsed
    const part = byName.get(name)
    if (part === undefined) throw new Error(`${path}: line ${lineNumber} is of '${name}', which is not known`)
    part.apply(entry)
  }
}

async function* linesOf(path: string): AsyncGenerator<string> {
  if (!existsSync(path)) return
  yield* createInterface({ input: createReadStream(path, { encoding: 'utf8' }), crlfDelay: Infinity })
}

/** A part may learn from the entries of later ones what of its own is still in use, so it is asked after them. */
function rewrite(parts: readonly JournalPart<unknown>[], append: (text: string) => void): void {
  const entriesOf = new Map<string, readonly unknown[]>()
  for (const part of [...parts].reverse()) entriesOf.set(part.name, [...part.entries()])
  let text = ''
  for (const { name } of parts) {
    for (const entry of entriesOf.get(name) ?? []) {
      text += lineOf(name, entry)
      if (text.length < REWRITE_CHARACTERS) continue
      append(text)
      text = ''
    }
  }
  append(text)
}

function lineOf(name: string, entry: unknown): string {
  return `${JSON.stringify([name, entry])}\n`
}

function parseLine(line: string): [name: string, entry: unknown] | undefined {
  try {
    const parsed: unknown = JSON.parse(line)
    return Array.isArray(parsed) && typeof parsed[0] === 'string' ? [parsed[0], parsed[1]] : undefined
  } catch {
    return undefined
  }
}

function writeWhole(file: number, text: string): void {
  const bytes = Buffer.from(text)
  let done = 0
  while (done < bytes.length) done += writeSync(file, bytes, done)
}
