/** Witness: the REST facts of test/conformance, on the local Azure and, where the environment names one, on a subscription. */
import { runTests } from './jest.mjs'

/** @type {import('./witnesses.mjs').Witness} */
export const restFacts = {
  name: 'rest-facts',
  prepare: async () => undefined,
  async hear() {
    const { passed, skipped } = await runTests('test/conformance/[^/]*\\.test\\.ts$')
    return [`${passed} facts hold${skipped > 0 ? `, ${skipped} skipped: the lines of Jest say where` : ''}`]
  },
}
