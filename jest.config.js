/** Jest compiles TypeScript by swc and runs it as ES modules; see scripts/test.mjs for the servers that the tests need. */
export default {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  transform: {
    '^.+\\.ts$': ['@swc/jest', { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'es6' } }],
  },
  // What test files leave behind in a worker adds up to gigabytes, and every collection of garbage then takes longer: of two
  // files alike the one in a used worker took half as long again.
  workerIdleMemoryLimit: '400MB',
  testTimeout: 60_000,
}
