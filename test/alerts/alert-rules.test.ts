/** The alert rules that are shipped, by the word of Prometheus' own promtool. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'

const RULES = 'docs/alerts/snapferry.rules.yaml'
const PROMTOOL = process.env['SNAPFERRY_TEST_PROMTOOL'] ?? 'promtool'

function hasPromtool(): boolean {
  try {
    execFileSync(PROMTOOL, ['--version'], { stdio: 'pipe' })
    return true
  } catch {
    return false
  }
}

describe('docs/alerts/snapferry.rules.yaml', () => {
  const withPromtool = hasPromtool() ? test : test.skip
  const hint = hasPromtool() ? '' : ' (skipped: promtool is not installed; Debian has it in the package prometheus)'

  withPromtool(`is taken by Prometheus and alerts as its tests say${hint}`, () => {
    execFileSync(PROMTOOL, ['check', 'rules', RULES], { stdio: 'pipe' })
    expect(execFileSync(PROMTOOL, ['test', 'rules', 'test/alerts/snapferry.rules.test.yaml'], { encoding: 'utf8', stdio: 'pipe' })).toContain('SUCCESS')
  })

  test('asks for metrics that a worker has', () => {
    const asked = new Set(readFileSync(RULES, 'utf8').match(/snapferry_[a-z]+_[a-z_]+_(seconds|total)\b/g))
    const drills = readFileSync('worker/drill-gauges.ts', 'utf8')
    const backups = readFileSync('worker/backup-gauges.ts', 'utf8')
    const isServed = (name: string): boolean =>
      backups.includes(`'${name}'`) || drills.includes(`instant('${name.slice('snapferry_drill_'.length, -'_timestamp_seconds'.length)}'`)
    const missing = [...asked].filter((name) => !isServed(name))
    expect(asked.size).toBeGreaterThan(3)
    expect(missing).toEqual([])
  })
})
