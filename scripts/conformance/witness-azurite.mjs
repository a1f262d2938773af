/** Witness: Azurite answers random page-blob calls as the local Azure does; test/conformance/azurite says how. */
import { runTests } from './jest.mjs'
import { findAzurite } from './tools.mjs'

/** @type {import('./witnesses.mjs').Witness} */
export const azurite = {
  name: 'azurite',
  prepare: findAzurite,
  async hear(program) {
    await runTests('test/conformance/azurite/', { SNAPFERRY_TEST_AZURITE: program })
    return ['Azurite and the local Azure agree, known differences aside']
  },
}
