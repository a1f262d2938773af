/** Witness: Azurite answers random page-blob calls as the local Azure does; test/conformance/azurite says how. */
import { randomInt } from 'node:crypto'
import { runTests } from './jest.mjs'
import { findAzurite } from './tools.mjs'

/** @type {import('./witnesses.mjs').Witness} */
export const azurite = {
  name: 'azurite',
  prepare: findAzurite,
  async hear(program) {
    const seed = process.env.SNAPFERRY_CONFORMANCE_SEED ?? String(randomInt(2 ** 31))
    await runTests('test/conformance/azurite/', { SNAPFERRY_TEST_AZURITE: program, SNAPFERRY_CONFORMANCE_SEED: seed })
    return [`Azurite and the local Azure agree on random calls of seed ${seed}, known differences aside`]
  },
}
