import { execFileSync } from 'node:child_process'
import { expect, test } from '@jest/globals'
import { closedEnvironment, shellLines } from '../../scripts/lib/closed-environment.mjs'

/** Of an operator's shell. */
const OPERATOR = {
  AZURE_CLIENT_ID: 'id',
  AZURE_CLIENT_SECRET: 'secret',
  AZURE_TENANT_ID: 'tenant',
  TEMPORAL_ADDRESS: 'production:7233',
  TEMPORAL_NAMESPACE: 'production',
  TEMPORAL_API_KEY: 'key',
}
const SETTINGS_OF_A_FILE = { SNAPFERRY_CONFIG: '/etc/snapferry.yaml', SNAPFERRY_TASK_QUEUE: 'production', SNAPFERRY_MAX_MIB_PER_SECOND: '1' }
const KEPT = { PATH: '/usr/bin', HOME: '/root', NODE_OPTIONS: '--x', SNAPFERRY_TEST_SEED: '1', SNAPFERRY_NTH_CALL_CASES: '40' }

test('what plays on this machine sees no Azure, Temporal or configuration of the shell, and all else', () => {
  expect(closedEnvironment({ ...OPERATOR, ...SETTINGS_OF_A_FILE, ...KEPT })).toEqual(KEPT)
})

test('a shell that reads the lines has these settings, and none of its own that would overrule them', () => {
  const settings = { TEMPORAL_ADDRESS: '127.0.0.1:1', IDENTITY_ENDPOINT: 'http://127.0.0.1:2/token' }
  const script = `${shellLines(settings)}\nenv`
  const { PATH } = process.env
  const lines = execFileSync('/bin/sh', ['-c', script], { env: { ...OPERATOR, PATH }, encoding: 'utf8' }).split('\n')
  expect(lines.filter((line) => /^(AZURE|TEMPORAL|IDENTITY)_/.test(line)).sort()).toEqual(['IDENTITY_ENDPOINT=http://127.0.0.1:2/token', 'TEMPORAL_ADDRESS=127.0.0.1:1'])
})
