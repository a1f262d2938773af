/**
 * Where the command line writes: results to stdout, everything else to stderr.
 *
 * With --json stdout carries one JSON value and nothing else, errors included; stderr stays for people. Colours only on
 * a terminal that wants them (NO_COLOR counts).
 */
import type { WriteStream } from 'node:tty'
import { redact } from '../domain/failures.ts'

const RED = '\u001b[31m'
const YELLOW = '\u001b[33m'
const RESET = '\u001b[39m'

export interface Output {
  readonly isJson: boolean
  /** Progress may be drawn in place, on stderr. */
  readonly isTerminal: boolean
  readonly stderr: NodeJS.WritableStream
  /** Columns of the terminal that results go to; undefined where they go elsewhere and lines may be of any length. */
  readonly resultColumns: number | undefined
  /** The result of the command: `value` with --json, else `text`. */
  result(value: unknown, text: string): void
  /** For people, on stderr. */
  note(text: string): void
  warn(text: string): void
  error(text: string): void
}

export interface OutputStreams {
  readonly stdout: NodeJS.WritableStream
  readonly stderr: NodeJS.WritableStream
}

export function createOutput({ stdout, stderr }: OutputStreams, isJson: boolean): Output {
  const hasColour = isTerminal(stderr) && stderr.hasColors()
  const label = (colour: string, text: string) => (hasColour ? `${colour}${text}${RESET}` : text)
  const toStderr = (text: string) => stderr.write(`${redact(text)}\n`)
  return {
    isJson,
    isTerminal: isTerminal(stderr),
    stderr,
    resultColumns: isTerminal(stdout) ? stdout.columns : undefined,
    result: (value, text) => void stdout.write(isJson ? `${JSON.stringify(value, null, 2)}\n` : `${redact(text)}\n`),
    note: (text) => void toStderr(text),
    warn: (text) => void toStderr(`${label(YELLOW, 'warning:')} ${text}`),
    error: (text) => void toStderr(`${label(RED, 'error:')} ${text}`),
  }
}

export function isTerminal(stream: NodeJS.WritableStream): stream is WriteStream {
  return 'isTTY' in stream && stream.isTTY === true
}
