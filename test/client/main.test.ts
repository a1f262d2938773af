import { readFile } from 'node:fs/promises'
import { describe, expect, test } from '@jest/globals'
import { configJsonSchema } from '../../config/config-schema.ts'
import { runCli } from './support/cli.ts'

const DISK = '/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute/disks/data'
const TARGET = 'https://account.blob.core.windows.net/backups'

const COMMANDS = [
  ['worker'],
  ['policy', 'apply'],
  ['policy', 'list'],
  ['policy', 'pause'],
  ['policy', 'resume'],
  ['policy', 'trigger'],
  ['policy', 'delete'],
  ['backup', 'run'],
  ['points', 'list'],
  ['restore', 'run'],
  ['run', 'follow'],
  ['run', 'cancel'],
  ['status'],
  ['config', 'check'],
  ['config', 'schema'],
]

const cli = (...argv: string[]) => runCli(argv, {})

test.each(COMMANDS)('%s %s --help shows an example and the exit codes, on stdout', async (...words) => {
  const { exitCode, stdout, stderr } = await cli(...words, '--help')
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  expect(stdout).toContain(`$ snapferry ${words.join(' ')}`)
  expect(stdout).toContain('130   interrupted')
  expect(stdout).toContain('--json')
})

describe('usage', () => {
  test.each([
    ['no command', []],
    ['an unknown command', ['bakcup']],
    ['an unknown option', ['status', '--wach']],
    ['a missing option', ['backup', 'run', '--disk', DISK]],
    ['a missing argument', ['policy', 'pause']],
    ['an unknown plane', ['worker', '--planes', 'control,dta']],
    ['a disk that is none', ['backup', 'run', '--disk', 'data', '--target', TARGET]],
    ['a target that is none', ['points', 'list', '--target', 'backups']],
    ['a retention that keeps nothing', ['backup', 'run', '--disk', DISK, '--target', TARGET, '--keep-last', '0']],
  ])('%s ends with 2 and prints nothing on stdout', async (_, argv) => {
    const { exitCode, stdout, stderr } = await cli(...argv)
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toMatch(/^error: /m)
    expect(stderr).not.toContain(' at ')
  })

  test('a mistyped command is told what was meant', async () => {
    expect((await cli('polcy', 'list')).stderr).toContain('Did you mean policy?')
  })

  test('--json says on stdout what went wrong', async () => {
    const { stdout } = await cli('points', 'list', '--target', `${TARGET}?sig=secret`, '--json')
    expect(JSON.parse(stdout)).toEqual({
      error: { type: 'InvalidTarget', message: expect.stringContaining('must not carry a query'), exitCode: 2 },
    })
    expect(stdout).not.toContain('secret')
  })

  test('--debug shows where an error comes from', async () => {
    expect((await cli('points', 'list', '--target', 'backups', '--debug')).stderr).toMatch(/ at .*parseTargetUrl/)
  })
})

describe('the arguments of restore run', () => {
  const restore = (...options: string[]) =>
    cli('restore', 'run', '--target', TARGET, '--to-disk', `${DISK}-restored`, '--region', 'westeurope', ...options)

  test.each([
    ['nothing to restore', [], 'either --point ID, or --disk ID'],
    ['a point and a disk', ['--point', 'p', '--disk', DISK], 'either --point ID, or --disk ID'],
    ['a time with a point', ['--point', 'p', '--at', '2026-11-22T10:15:00Z'], '--at goes with --disk'],
    ['a time without a zone', ['--disk', DISK, '--at', '2026-11-22T10:15:00'], '--at is "2026-11-22T10:15:00"'],
    ['a day that is none', ['--disk', DISK, '--at', '2026-02-31T25:00:00Z'], 'expected an ISO 8601'],
    ['a zone that is none', ['--disk', DISK, '--zone', 'a'], '--zone is "a"'],
    ['a region that is none', ['--disk', DISK, '--region', 'eu/west'], '--region is "eu/west"'],
  ])('%s is refused before anything is started', async (_, options, expected) => {
    const { exitCode, stderr } = await restore(...options)
    expect(exitCode).toBe(2)
    expect(stderr).toContain(expected)
  })
})

test('docs/snapferry.schema.json is what the schema says', async () => {
  const committed = await readFile(new URL('../../docs/snapferry.schema.json', import.meta.url), 'utf8')
  expect(JSON.parse(committed)).toEqual(configJsonSchema())
})
