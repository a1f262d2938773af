import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { exitCodesHelp } from '../../client/exit-codes.ts'
import { parseConfigFile } from '../../config/config-file.ts'
import { RESEED_CAUSES } from '../../domain/backup-plan.ts'
import { EXIT_CODES, FAILURES } from '../../domain/failures.ts'
import { ALL_SEARCH_ATTRIBUTES } from '../../workflows/search-attributes.ts'
import { runCli } from '../client/support/cli.ts'
import { codeBlocks, shellLines, tableOf } from '../support/operations-doc.ts'

describe('docs/operations.md lists exactly', () => {
  test('the failures of the catalogue, in its order and words', () => {
    const catalogue = Object.entries(FAILURES).map(([type, { retry, exit, meaning }]) => [type, retry, String(EXIT_CODES[exit]), meaning])
    expect(tableOf(['type', 'retry', 'exit code', 'meaning'])).toEqual(catalogue)
  })

  test('the exit codes of the help text', () => {
    const lines = tableOf(['code', 'meaning']).map(([code = '', meaning]) => `  ${code.padEnd(5)} ${meaning}`)
    expect(`Exit codes:\n${lines.join('\n')}`).toBe(exitCodesHelp())
  })

  test('the causes of a reseed', () => {
    expect(tableOf(['cause', 'why'])).toEqual(Object.entries(RESEED_CAUSES))
  })

  test('the variables that settings are read from', () => {
    const source = readFileSync(new URL('../../config/settings.ts', import.meta.url), 'utf8')
    const read = new Set(source.match(/\b(SNAPFERRY|TEMPORAL)_[A-Z_]*[A-Z]\b/g))
    const listed = tableOf(['environment', 'key in `snapferry.yaml`', 'default', 'meaning']).map(([name]) => name)
    expect(new Set(listed)).toEqual(read)
  })

  test('the search attributes', () => {
    const listed = tableOf(['attribute', 'holds']).map(([name]) => name)
    expect(listed).toEqual(ALL_SEARCH_ATTRIBUTES.map(({ name }) => name))
  })
})

describe('an example in docs/operations.md', () => {
  test.each(shellLines('snapferry'))('%s: the command has all its options', async (line) => {
    const words = line.split(' ').slice(1)
    const firstOption = words.findIndex((word) => word.startsWith('-'))
    const command = firstOption === -1 ? words : words.slice(0, firstOption)
    const { exitCode, stdout } = await runCli([...command, '--help'], {})
    expect({ exitCode, usage: stdout.split('\n')[0] }).toEqual({ exitCode: 0, usage: expect.stringContaining(`snapferry ${command.slice(0, 2).join(' ')}`) })
    for (const option of words.filter((word) => word.startsWith('--'))) expect(stdout).toContain(`${option} `)
  })

  test('of snapferry.yaml is a right one', () => {
    const [yaml = ''] = codeBlocks('yaml')
    expect(parseConfigFile(yaml, 'example').policies.map(({ policy }) => policy.name)).toEqual(['nightly'])
  })
})
