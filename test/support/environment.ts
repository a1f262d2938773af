/**
 * What `npm test` starts once for all tests (scripts/lib/test-servers.mjs). Each test asks only for what it needs, so
 * that tests without servers run under Jest alone as well.
 */
import { env } from 'node:process'

/** `host:port` of a Temporal dev server that all tests share: a test needs task queues and workflow ids of its own. */
export function temporalAddress(): string {
  return required('SNAPFERRY_TEST_TEMPORAL_ADDRESS')
}

/** Path of the program `temporal`, for tests that start a server of their own. */
export function temporalCliPath(): string {
  return required('SNAPFERRY_TEST_TEMPORAL_CLI')
}

/** The workflows as the build bundled them: `Worker.create({ workflowBundle: { codePath } })`. */
export function workflowBundlePath(): string {
  return required('SNAPFERRY_TEST_WORKFLOW_BUNDLE')
}

/** Directory of the certificate authority that this process trusts: `startLocalAzure({ caDir })`. */
export function certificateAuthorityDirectory(): string {
  return required('SNAPFERRY_TEST_CA_DIR')
}

/** What is written in here is searched for secrets after the tests: logs of child processes belong here. */
export function logDirectory(): string {
  return required('SNAPFERRY_TEST_LOG_DIR')
}

function required(name: string): string {
  const value = env[name]
  if (value === undefined) throw new Error(`${name} is not set: run the tests by \`npm test\` or \`npm test -- PATTERN\``)
  return value
}
