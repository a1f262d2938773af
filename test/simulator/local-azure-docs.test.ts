import { expect, test } from '@jest/globals'
import { existsSync, readFileSync } from 'node:fs'
import { computeSettingsSchema } from '../../simulator/compute/settings.ts'
import { faultEffectSchema } from '../../simulator/faults/fault-rule.ts'

/** docs/local-azure.md against what it is about. */

const text = readFileSync('docs/local-azure.md', 'utf8')
const section = (title: string): string => text.split(`\n## ${title}\n`)[1]?.split('\n## ')[0] ?? ''
const namesIn = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name)
const rowsOf = (title: string): string[][] =>
  section(title)
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) => line.split('|').slice(1, -1).map((cell) => cell.trim()))

test('every fact that is built names a test that exists', () => {
  const facts = rowsOf('Facts').filter(([operation = '']) => operation !== 'operation' && !operation.startsWith('---'))
  expect(facts.length).toBeGreaterThan(60)
  for (const [operation, state = '', , tests = ''] of facts) {
    const named = namesIn(tests)
    for (const name of named) expect([name, existsSync(`test/simulator/${name}.test.ts`)]).toEqual([name, true])
    if (state.startsWith('built')) expect([operation, named.length > 0]).toEqual([operation, true])
  }
})

test('every setting and every fault is described, and nothing else', () => {
  const settings = rowsOf('Settings').flatMap(([name = '']) => namesIn(name))
  expect(new Set(settings)).toEqual(new Set(Object.keys(computeSettingsSchema.shape)))
  const kinds = faultEffectSchema.options.map(({ shape }) => shape.kind.value)
  const faults = rowsOf('Faults').flatMap(([name = '']) => namesIn(name).filter((each) => !each.startsWith('{')))
  expect(new Set(faults)).toEqual(new Set(kinds))
})
