import { Writable } from 'node:stream'
import { describe, expect, test } from '@jest/globals'
import { ApplicationFailure, WorkflowFailedError } from '@temporalio/client'
import { ActivityFailure, RetryState, TerminatedFailure } from '@temporalio/common'
import { formatDurationMs, parseDurationMs } from '../../config/duration.ts'
import { formatBytes, formatEta, formatRelative, percentOf } from '../../client/format.ts'
import { createOutput } from '../../client/output.ts'
import { describePoint, renderPoints, suspicionsOf } from '../../client/points.ts'
import { createProgressView } from '../../client/progress-view.ts'
import type { PendingRetry } from '../../client/pending-retries.ts'
import { createRateMeter } from '../../client/rate-meter.ts'
import { toRunFailure } from '../../client/run-failure.ts'
import { renderRuns } from '../../client/run-list.ts'
import { isUnanswered, type RunState } from '../../client/run-state.ts'
import { aRecoveryPoint } from './support/recovery-points.ts'

const RUN: RunState = {
  workflowId: 'backup/data/target',
  runId: 'run',
  type: 'backupDisk',
  status: 'RUNNING',
  startedAt: '2026-11-22T10:00:00.000Z',
  phase: 'transfer',
  kind: 'full',
  movedBytes: 30 * 1024 ** 2,
  totalBytes: 120 * 1024 ** 2,
  transferStartedAt: '2026-11-22T10:00:10.000Z',
  isAnswered: true,
}

const RETRY: PendingRetry = {
  activity: 'takeSourceSnapshot',
  attempt: 2,
  nextAttemptAt: '1970-01-01T00:01:00.000Z',
  lastFailure: { type: 'AzureThrottled', message: 'could not create snapshot s: too many' },
}

describe('numbers', () => {
  test.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.00 KiB'],
    [1024 ** 2 - 1, '1.00 MiB'],
    [15.25 * 1024 ** 3, '15.3 GiB'],
    [32 * 1024 ** 4, '32.0 TiB'],
    [4096 * 1024 ** 4, '4096 TiB'],
  ])('%d bytes are %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text))

  test.each([
    ['90s', 90_000],
    ['4h', 14_400_000],
    ['1d', 86_400_000],
    ['0.5h', 1_800_000],
  ])('%s is %d ms', (text, ms) => expect(parseDurationMs(text)).toBe(ms))

  test.each([
    [0, '0s'],
    [59_600, '1m'],
    [3_605_000, '1h'],
    [90_061_000, '1d 1h'],
    [125_000, '2m 5s'],
  ])('%d ms are %s', (ms, text) => expect(formatDurationMs(ms)).toBe(text))

  test('an instant lies ahead or behind', () => {
    const nowMs = Date.parse('2026-11-22T10:00:00Z')
    expect(formatRelative('2026-11-22T10:10:00Z', nowMs)).toBe('in 10m')
    expect(formatRelative('2026-11-22T06:55:00Z', nowMs)).toBe('3h 5m ago')
  })

  test('progress is never done before everything moved, and unknown without a total', () => {
    expect(percentOf(999_999, 1_000_000)).toBe(99)
    expect(percentOf(0, 0)).toBe(100)
    expect(percentOf(5, undefined)).toBeUndefined()
    expect(formatEta(100, 0)).toBe('-')
  })
})

describe('the rate', () => {
  test('is that of the window, not of the whole run', () => {
    const meter = createRateMeter(10_000)
    meter.add(0, 0)
    for (let second = 1; second <= 60; second++) meter.add(second * 1000, 1000 + second * 10)
    expect(meter.bytesPerSecond()).toBe(10)
  })

  test('starts anew when the counter falls back', () => {
    const meter = createRateMeter()
    meter.add(0, 1000)
    meter.add(1000, 10)
    expect(meter.bytesPerSecond()).toBeUndefined()
    meter.add(2000, 30)
    expect(meter.bytesPerSecond()).toBe(20)
  })
})

describe('a run', () => {
  test('is listed with progress, rate and time left', () => {
    const line = renderRuns([RUN], Date.parse('2026-11-22T10:00:20Z')).split('\n')[1]
    expect(line).toMatch(/^backup\/data\/target +running +full +transfer +25% +3\.00 MiB\/s +30s +20s ago +-$/)
  })

  test('is shown as lines where there is no terminal: one a phase, not one a second', () => {
    const { output, text } = anOutput()
    const view = createProgressView(output)
    const { movedBytes: _, totalBytes: __, ...withoutFigures } = RUN
    view.show({ ...withoutFigures, phase: 'snapshot' }, 0)
    for (let second = 1; second <= 20; second++) view.show({ ...RUN, movedBytes: second * 1024 ** 2 }, second * 1000)
    view.close()
    expect(text().split('\n').filter(Boolean)).toEqual([
      'snapshot',
      'transfer: 1.00 MiB of 120 MiB',
      'transfer: 16.0 MiB of 120 MiB, 1.00 MiB/s, ETA 1m 44s',
    ])
  })

  test('that is held up says why once, and then when it is tried again', () => {
    const { output, text } = anOutput()
    const view = createProgressView(output)
    const { movedBytes: _, totalBytes: __, ...withoutFigures } = RUN
    for (let second = 0; second <= 20; second++) {
      view.show({ ...withoutFigures, phase: 'snapshot', retries: [{ ...RETRY, attempt: second < 10 ? 2 : 3 }] }, second * 1000)
    }
    view.close()
    expect(text().split('\n').filter(Boolean)).toEqual([
      'warning: takeSourceSnapshot, attempt 2 in 1m, after AzureThrottled: could not create snapshot s: too many',
      'snapshot: takeSourceSnapshot attempt 2 in 1m',
      'snapshot: takeSourceSnapshot attempt 3 in 45s',
    ])
  })

  test('that warns of something says it once, while it goes on', () => {
    const { output, text } = anOutput()
    const view = createProgressView(output)
    for (let second = 0; second < 3; second++) view.show({ ...RUN, warnings: ['the point is not held'] }, second)
    view.close()
    expect(text().match(/warning: the point is not held/g)).toHaveLength(1)
  })

  test('that is held up says why under the list', () => {
    const text = renderRuns([{ ...RUN, retries: [RETRY] }], 0)
    expect(text).toMatch(/\n\nbackup\/data\/target\n {2}takeSourceSnapshot, attempt 2 in 1m, after AzureThrottled: could not create/)
  })

  test('is listed in lines of its own where the terminal is too narrow for a table', () => {
    const text = renderRuns([RUN, RUN], Date.parse('2026-11-22T10:00:20Z'), { columns: 60 })
    const block = [
      'RUN      backup/data/target',
      'STATUS   running',
      'KIND     full',
      'PHASE    transfer',
      'DONE     25%',
      'RATE     3.00 MiB/s',
      'ETA      30s',
      'STARTED  20s ago',
    ].join('\n')
    expect(text).toBe(`${block}\n\n${block}`)
    expect(renderRuns([RUN], 0, { columns: 200 })).toBe(renderRuns([RUN], 0))
  })

  test.each([
    [60, /^transfer 25% {2}30\.0 MiB of 120 MiB {2}- {2}ETA -$/],
    [80, /^transfer \[=+-+\] 25% /],
  ])('is drawn in one line on a terminal of %d columns', (columns, line) => {
    const { output, text } = anOutput(columns)
    const view = createProgressView(output)
    view.show(RUN, 0)
    // oxlint-disable-next-line no-control-regex -- what moves the cursor is not part of the line.
    const drawn = text().replace(/\u001b\[?[?\d;]*[A-Za-z0-9]/g, '')
    view.close()
    expect(drawn.length).toBeLessThanOrEqual(columns)
    expect(drawn).toMatch(line)
  })

  test('fails with the type of the innermost failure of the catalogue', () => {
    const cause = ApplicationFailure.nonRetryable('no page of 4096 bytes is equal', 'VerificationFailed')
    const activity = new ActivityFailure(
      'Activity task failed',
      'verify',
      '7',
      RetryState.NON_RETRYABLE_FAILURE,
      'w',
      cause,
    )
    const failure = toRunFailure(
      new WorkflowFailedError('failed', activity, RetryState.NON_RETRYABLE_FAILURE),
      'backup',
    )
    expect(failure).toMatchObject({
      type: 'VerificationFailed',
      message: 'backup failed: no page of 4096 bytes is equal',
    })
  })

  test.each(['backup of disk d', 'restore to d', 'run drill/d'])('that was terminated (%s) is said to have left behind what it made', (what) => {
    const { message } = toRunFailure(new WorkflowFailedError('failed', new TerminatedFailure('x'), RetryState.NON_RETRYABLE_FAILURE), what)
    expect(message).toMatch(new RegExp(`^${what} was terminated, without cleaning up: what it made may still be there`))
    expect(message).toContain('docs/operations.md')
  })

  test('that fails for a reason without a type is RunFailed with the innermost message', () => {
    const cause = new ApplicationFailure('boom', 'TypeError')
    const failure = toRunFailure(new WorkflowFailedError('failed', cause, RetryState.NON_RETRYABLE_FAILURE), 'backup')
    expect(failure).toMatchObject({ type: 'RunFailed', message: 'backup failed: boom' })
  })
})

test.each([
  ['backupDisk', true],
  ['restoreDisk', true],
  ['verifyPoint', true],
  ['drillRestore', true],
  ['runPolicy', false],
  ['drillPolicy', false],
  ['restoreGroup', false],
])('an open %s without an answer: that no worker answers is %p', (type, expected) => {
  expect(isUnanswered({ ...RUN, type, status: 'RUNNING', isAnswered: false })).toBe(expected)
  expect(isUnanswered({ ...RUN, type, status: 'COMPLETED', isAnswered: false })).toBe(false)
  expect(isUnanswered({ ...RUN, type, status: 'RUNNING', isAnswered: true })).toBe(false)
})

describe('recovery points', () => {
  test('tell what a backup moved and proved', () => {
    const text = describePoint(aRecoveryPoint({ kind: 'reseed', reseedCause: 'CursorSnapshotGone' }))
    expect(text).toContain('recovery point 20261122T101500Z-0123456789ab of 2026-11-22 10:15:00Z')
    expect(text).toContain('reseed (CursorSnapshotGone): 5.00 GiB moved in 1m 30s by 1280 requests')
    expect(text).toContain('128 MiB compared')
  })

  test('are listed in columns', () => {
    const [head, line] = renderPoints([aRecoveryPoint()], Date.parse('2026-11-22T11:15:00Z')).split('\n')
    expect(head).toMatch(/^POINT +DISK +TAKEN +AGE +KIND +SIZE +CHANGED +COMPARED +CHECKED$/)
    expect(line).toMatch(
      /^20261122T101500Z-0123456789ab +data +2026-11-22 10:15:00Z +1h ago +incremental +64\.0 GiB +5\.00 GiB/,
    )
  })

  test('that are suspect say so, where, and what becomes of it', () => {
    const suspect = { since: '2026-11-23T10:00:00Z', ranges: [{ startBytes: 0, endBytes: 4_194_304 }], foundIn: 'another' }
    const point = aRecoveryPoint({ suspect })
    expect(renderPoints([point], Date.parse('2026-11-24T11:15:00Z'))).toMatch(/ SUSPECT$/)
    expect(suspicionsOf([point, aRecoveryPoint()])).toEqual([
      'suspect since 2026-11-23 10:00:00Z: 20261122T101500Z-0123456789ab differs from its digests at [0, 4194304); the next backup reads these ranges again',
    ])
    expect(suspicionsOf([aRecoveryPoint({ suspect: { ...suspect, mendedBy: 'later' } })])[0]).toContain('point later and later ones have them right')
  })

  test('that were verified say how and when', () => {
    const verified = { level: 'full', at: '2026-11-23T11:15:00Z', comparedBytes: 1024 } as const
    expect(renderPoints([aRecoveryPoint({ verified })], Date.parse('2026-11-24T11:15:00Z'))).toMatch(/ full 1d ago$/)
  })
})

test('a secret that got into a message does not get out of it', () => {
  const { output, text } = anOutput()
  output.warn('see https://account/blob?sv=1&sig=secret')
  expect(text()).toBe('warning: see https://account/blob?…\n')
})

/** @param columns of a terminal; undefined: no terminal. */
function anOutput(columns?: number) {
  const chunks: string[] = []
  const sink = new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      chunks.push(String(chunk))
      done()
    },
  })
  if (columns !== undefined) Object.assign(sink, { isTTY: true, columns, hasColors: () => false })
  return { output: createOutput({ stdout: sink, stderr: sink }, false), text: () => chunks.join('') }
}
