/**
 * Reads snapferry.yaml: text in, checked configuration out, or every mistake at once with line, column and key.
 *
 * Knows nothing of the environment; `settings.ts` lays the file and the environment over each other.
 */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { LineCounter, parseDocument } from 'yaml'
import { BackupError } from '../domain/failures.ts'
import { complaintsOf, type Complaint } from './complaints.ts'
import { configJsonSchema, configSchema, type ConfigInput } from './config-schema.ts'
import { policySpecsOf, policyWarnings, type PolicySpec } from './policy-file.ts'

export const DEFAULT_CONFIG_FILE = 'snapferry.yaml'

export interface ConfigFile {
  readonly temporal: ConfigInput['temporal']
  readonly azure: ConfigInput['azure']
  readonly worker: ConfigInput['worker']
  readonly prices: ConfigInput['prices']
  readonly policies: readonly PolicySpec[]
  /** What is allowed but probably not wanted. */
  readonly warnings: readonly string[]
}

export const EMPTY_CONFIG: ConfigFile = { temporal: {}, azure: {}, worker: {}, prices: {}, policies: [], warnings: [] }

/** @throws BackupError InvalidConfig, also where there is no such file. */
export async function readConfigFile(filePath: string): Promise<ConfigFile> {
  let text: string
  try {
    text = await readFile(filePath, 'utf8')
  } catch (cause) {
    const why = hasCode(cause, 'ENOENT') ? 'does not exist' : 'cannot be read'
    throw new BackupError({
      type: 'InvalidConfig',
      message: `config file ${filePath} ${why}; name one with --config FILE`,
      facts: { filePath },
      cause,
    })
  }
  return parseConfigFile(text, path.basename(filePath))
}

/**
 * @param fileName for messages only.
 * @throws BackupError InvalidConfig that lists every mistake.
 */
export function parseConfigFile(text: string, fileName: string): ConfigFile {
  const lineCounter = new LineCounter()
  const document = parseDocument(text, { lineCounter, prettyErrors: false })
  if (document.errors.length > 0) {
    const complaints = document.errors.map(({ pos, message }) => {
      const { line, col } = lineCounter.linePos(pos[0])
      return { line, column: col, key: '', message }
    })
    throw invalidConfig(fileName, complaints)
  }
  const parsed = configSchema.safeParse(document.toJS() ?? {})
  if (!parsed.success) {
    throw invalidConfig(fileName, complaintsOf(parsed.error.issues, document, lineCounter, configJsonSchema()))
  }
  const policies = policySpecsOf(parsed.data)
  return { ...parsed.data, policies, warnings: policyWarnings(policies) }
}

function invalidConfig(fileName: string, complaints: readonly Complaint[]): BackupError {
  const lines = complaints.map(
    ({ line, column, key, message }) => `  line ${line}, column ${column}${key === '' ? '' : `, ${key}`}: ${message}`,
  )
  const count = complaints.length === 1 ? 'a mistake' : `${complaints.length} mistakes`
  return new BackupError({
    type: 'InvalidConfig',
    message: [`${fileName} has ${count}:`, ...lines].join('\n'),
    facts: { fileName, mistakes: complaints.length },
  })
}

function hasCode(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code
}
