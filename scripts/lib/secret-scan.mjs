/**
 * Looks for `sig=`, the secret part of a SAS, where it must never be: in the histories of a Temporal server, with every
 * payload decoded, and in log files. Payloads that a codec encrypted would be opaque to it.
 */
import { createReadStream } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Client, Connection } from '@temporalio/client'

const SECRET = Buffer.from('sig=')

/**
 * @typedef {object} ScanResult
 * @property {number} count histories or files that were read
 * @property {number} bytes
 * @property {string[]} findings where a secret stands
 */

/**
 * Scans every execution of the `default` namespace: its history, its memo, its pending activities' heartbeats and failures.
 * @param {string} address
 * @returns {Promise<ScanResult>}
 */
export async function scanHistories(address) {
  const connection = await Connection.connect({ address })
  try {
    const { workflow } = new Client({ connection })
    const result = { count: 0, bytes: 0, findings: [] }
    for await (const { workflowId, runId } of workflow.list()) {
      const handle = workflow.getHandle(workflowId, runId)
      const { events = [] } = await handle.fetchHistory()
      const { raw } = await handle.describe()
      result.count++
      result.bytes += scanParts([...events, raw], (index) => {
        result.findings.push(`workflow ${workflowId}, ${index < events.length ? `event ${index + 1}` : 'its description'}`)
      })
    }
    return result
  } finally {
    await connection.close()
  }
}

/**
 * Scans every file below a folder.
 * @param {string} folder
 * @returns {Promise<ScanResult>}
 */
export async function scanFiles(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath ?? entry.path, entry.name))
  const result = { count: files.length, bytes: 0, findings: [] }
  for (const file of files) {
    let tail = Buffer.alloc(0)
    let isFound = false
    for await (const chunk of createReadStream(file)) {
      result.bytes += chunk.length
      const text = Buffer.concat([tail, chunk])
      isFound ||= text.includes(SECRET)
      tail = text.subarray(-(SECRET.length - 1))
    }
    if (isFound) result.findings.push(file)
  }
  return result
}

/** Calls `onFinding` with the index of every part that holds a secret; the number of bytes read. */
function scanParts(parts, onFinding) {
  let bytes = 0
  for (const [index, part] of parts.entries()) {
    let isFound = false
    for (const text of textsOf(part)) {
      bytes += text.length
      isFound ||= text.includes(SECRET)
    }
    if (isFound) onFinding(index)
  }
  return bytes
}

/** Every string and byte array within a message, payloads' data among them. */
function* textsOf(value) {
  if (typeof value === 'string') yield Buffer.from(value)
  else if (value instanceof Uint8Array) yield Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  else if (typeof value === 'object' && value !== null) {
    for (const [key, inner] of Object.entries(value)) {
      yield Buffer.from(key)
      yield* textsOf(inner)
    }
  }
}
