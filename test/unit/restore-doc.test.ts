/** The runbook for restores: every command in it exists with all its options. */
import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { runCli } from '../client/support/cli.ts'

const TEXT = readFileSync(new URL('../../docs/restore.md', import.meta.url), 'utf8')
const COMMANDS = [...TEXT.matchAll(/^snapferry (.*)$/gm)].map(([, words = '']) => words.replace(/ \|.*$/, ''))

test('the runbook has commands', () => {
  expect(COMMANDS.length).toBeGreaterThan(10)
})

test.each(COMMANDS)('snapferry %s: the command has all its options', async (line) => {
  const words = line.split(' ')
  const command = words.slice(0, words.findIndex((word) => word.startsWith('-')))
  const { exitCode, stdout } = await runCli([...command, '--help'], {})
  expect({ exitCode, usage: stdout.split('\n')[0] }).toEqual({ exitCode: 0, usage: expect.stringContaining(`snapferry ${command.join(' ')}`) })
  for (const option of words.filter((word) => word.startsWith('--'))) expect(stdout).toMatch(new RegExp(`${option}[ \\n]`))
})

test.each(COMMANDS.filter((line) => line.startsWith('restore run ')))('snapferry %s: rescue restore has the same options, but for --wait', async (line) => {
  const { stdout } = await runCli(['rescue', 'restore', '--help'], {})
  const lacking = line.split(' ').filter((word) => word.startsWith('--') && !new RegExp(`${word}[ \\n]`).test(stdout))
  expect(lacking).toEqual(['--wait'])
})

test.each([...TEXT.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor]) => anchor))('the link to #%s leads to a heading', (anchor) => {
  const anchors = [...TEXT.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading.toLowerCase().replace(/[^a-z0-9 -]/g, '').replaceAll(' ', '-'))
  expect(anchors).toContain(anchor)
})
