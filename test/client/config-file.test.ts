import { describe, expect, test } from '@jest/globals'
import { parseConfigFile } from '../../config/config-file.ts'
import { DEFAULT_OPTIONS } from '../../domain/policy.ts'

const DISK_A = '/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute/disks/a'
const DISK_B = '/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute/disks/b'
const TARGET = 'https://account.blob.core.windows.net/backups'

function complaintsIn(text: string): string {
  try {
    parseConfigFile(text, 'snapferry.yaml')
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  return 'nothing to complain about'
}

/** A policy as YAML lines, with `extra` lines at its end. */
function aPolicy(extra = '', schedule = '{ every: 4h }'): string {
  return `target: ${TARGET}\npolicies:\n  nightly:\n    disks: [${DISK_A}]\n    schedule: ${schedule}\n${extra}`
}

describe('a right file', () => {
  test('gets every default: interval/6 as jitter, the interval as catch-up window', () => {
    const [spec] = parseConfigFile(aPolicy(), 'snapferry.yaml').policies
    expect(spec).toEqual({
      policy: {
        name: 'nightly',
        targetUrl: TARGET,
        diskIds: [DISK_A],
        options: DEFAULT_OPTIONS,
        maxConcurrentDisks: 8,
      },
      schedule: { kind: 'every', everyMs: 4 * 3_600_000, offsetMs: 0 },
      jitterMs: 600_000,
      catchUpWindowMs: 4 * 3_600_000,
      isPaused: false,
    })
  })

  test('gets five minutes of jitter, one hour of catch-up and UTC for a cron line', () => {
    const [spec] = parseConfigFile(aPolicy('', '{ cron: "0  2 * * MON-FRI" }'), 'snapferry.yaml').policies
    expect(spec?.schedule).toEqual({ kind: 'cron', cron: '0 2 * * MON-FRI', timeZone: 'UTC' })
    expect(spec?.jitterMs).toBe(300_000)
    expect(spec?.catchUpWindowMs).toBe(3_600_000)
  })

  test('fills in what a retention or verify section leaves out', () => {
    const [spec] = parseConfigFile(
      aPolicy('    verify: { maxRounds: 2 }\n    retention: { keepLast: 5 }\n'),
      'snapferry.yaml',
    ).policies
    expect(spec?.policy.options).toEqual({
      retention: { keepLast: 5 },
      verify: { sampleChanged: 16, sampleUnchanged: 16, maxRounds: 2 },
    })
  })

  test('lets Azure copy and has the copies drilled', () => {
    const engine = '    engine: copy-start\n    copyStart: { resourceGroup: copies, region: northeurope }\n'
    const drill = '    drill: { schedule: { every: 7d }, region: northeurope, resourceGroup: drills, alertAfter: 10d }\n'
    const [spec] = parseConfigFile(aPolicy(engine + drill), 'snapferry.yaml').policies
    expect(spec).toMatchObject({ policy: { options: { copyStart: { region: 'northeurope' } } }, drill: { rule: { resourceGroup: 'drills', point: 'newest' } } })
  })

  test.each(['transfer: stream', 'reseed: move', 'stripes: 2', 'maxMibPerSecond: 20', 'verification: { level: full }', 'verify: { level: source }'])('that lets Azure copy is refused with %s, which would do nothing', (line) => {
    const engine = '    engine: copy-start\n    copyStart: { resourceGroup: copies, region: northeurope }\n'
    const key = line.slice(0, line.indexOf(':'))
    expect(complaintsIn(aPolicy(`${engine}    ${line}\n`))).toMatch(new RegExp(`policies.nightly.${key}\\b.*with .engine: copy-start.`))
  })

  test('that lets Azure copy may say how much is compared', () => {
    const engine = '    engine: copy-start\n    copyStart: { resourceGroup: copies, region: northeurope }\n'
    const [spec] = parseConfigFile(aPolicy(`${engine}    verify: { level: sample, sampleChanged: 64 }\n`), 'snapferry.yaml').policies
    expect(spec?.policy.options.verify).toMatchObject({ level: 'sample', sampleChanged: 64 })
  })

  test('compares with the source before the seal, by `verify`', () => {
    const [spec] = parseConfigFile(aPolicy('    verify: { level: source }\n'), 'snapferry.yaml').policies
    expect(spec?.policy.options.verify).toMatchObject({ level: 'source', sampleUnchanged: 16 })
  })

  test('and not by `verification`, which says so', () => {
    expect(complaintsIn(aPolicy('    verification: { level: source }\n'))).toContain('expected structure, sample or full; the source is compared before a point is sealed, by `verify: { level: source }`')
  })

  test('lets the target of a policy win over that of the file', () => {
    const [spec] = parseConfigFile(
      aPolicy('    target: https://other.blob.core.windows.net/backups/\n'),
      'snapferry.yaml',
    ).policies
    expect(spec?.policy.targetUrl).toBe('https://other.blob.core.windows.net/backups')
  })

  test('may be empty', () => {
    expect(parseConfigFile('', 'snapferry.yaml').policies).toEqual([])
  })

  test('warns of a snapshot SKU and of a disk that two policies bring to one target', () => {
    const weekly = `  weekly:\n    disks: ['${DISK_A.toUpperCase()}', ${DISK_B}]\n    schedule: { every: 7d }\n`
    const text = `${aPolicy('    snapshotSku: Standard_LRS\n')}${weekly}`
    const { warnings } = parseConfigFile(text.replace('/SUBSCRIPTIONS', '/subscriptions'), 'snapferry.yaml')
    expect(warnings).toEqual([
      expect.stringContaining('snapshotSku'),
      expect.stringContaining('policies nightly and weekly'),
    ])
  })

  test.each([
    [2000, []],
    [2001, [expect.stringContaining('policy nightly has 2001 disks')]],
  ])('a policy of %d disks: a warning only where its run might grow too long for Temporal', (count, expected) => {
    const ids = Array.from({ length: count }, (_, index) => `/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute/disks/d${index}`)
    const text = JSON.stringify({ target: TARGET, policies: { nightly: { disks: ids, schedule: { every: '4h' } } } })
    expect(parseConfigFile(text, 'snapferry.yaml').warnings).toEqual(expected)
  })
})

describe('a mistake', () => {
  test('is named with line, column and key, all of them at once and in the order of the file', () => {
    const message = complaintsIn(
      [
        `target: ${TARGET}?sv=2024&sig=secret`,
        'policies:',
        '  nightly:',
        `    disks: [${DISK_A}, not-an-id]`,
        '    shedule: { every: 4h }',
        '    schedule: { every: 4 hours please }',
        '    jitter: 300',
      ].join('\n'),
    )
    const lines = message.split('\n')
    expect(lines[0]).toBe('snapferry.yaml has 5 mistakes:')
    expect(lines[1]).toContain('line 1, column 9, target:')
    expect(lines[2]).toContain('line 4, column 85, policies.nightly.disks[1]: "not-an-id" is not the resource id')
    expect(lines[3]).toContain('line 5, column 5, policies.nightly.shedule: unknown key; did you mean "schedule"?')
    expect(lines[4]).toContain('line 6, column 24, policies.nightly.schedule.every: "4 hours please" is not a duration')
    expect(lines[5]).toContain('line 7, column 13, policies.nightly.jitter: expected a duration')
    expect(message).not.toContain('secret')
  })

  test.each([
    [
      'a disk that stands twice, in another case',
      aPolicy().replace(DISK_A, `${DISK_A}, ${DISK_A.replace('disks/a', 'disks/A')}`),
      'stands twice',
    ],
    ['a policy without a target', aPolicy().replace(/^target.*\n/, ''), 'no `target`'],
    ['a schedule without times', aPolicy('', '{}'), 'needs `cron` or `every`'],
    ['a schedule with both', aPolicy('', '{ every: 4h, cron: "0 2 * * *" }'), 'not both'],
    [
      'a time zone for an interval',
      aPolicy('', '{ every: 4h, timeZone: Europe/Vienna }'),
      '`timeZone` belongs to `cron`',
    ],
    ['an unknown time zone', aPolicy('', '{ cron: "0 2 * * *", timeZone: Europe/Wien }'), 'not a time zone'],
    ['a cron line with a zone of its own', aPolicy('', '{ cron: "TZ=UTC 0 2 * * *" }'), 'five fields'],
    ['an interval below ten seconds', aPolicy('', '{ every: 5s }'), 'the shortest interval is 10s'],
    ['an offset as long as the interval', aPolicy('', '{ every: 1h, offset: 60m }'), 'shorter than the interval'],
    ['a jitter as long as the interval', aPolicy('    jitter: 4h\n'), 'shorter than the interval'],
    ['a duration without a unit', aPolicy('    jitter: "10"\n'), 'has no unit'],
    ['a duration below a second', aPolicy('    jitter: 1500ms\n'), 'whole number of seconds'],
    ['keeping no point', aPolicy('    retention: { keepLast: 0 }\n'), 'at least 1 point'],
    ['a policy name that cannot be typed', aPolicy().replace('nightly', '"my policy"'), 'a policy name has'],
    ['an unknown section', `polices: {}\n`, 'did you mean "policies"?'],
    ['a key that stands twice', 'worker: {}\nworker: {}\n', 'line 2, column 1'],
    ['YAML that is none', 'policies: [\n', 'line 2, column 1'],
  ])('%s is refused', (_, text, expected) => {
    expect(complaintsIn(text)).toContain(expected)
  })
})
