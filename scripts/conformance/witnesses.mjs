/**
 * All witnesses, in the order in which they are heard.
 *
 * @typedef {object} Witness
 * @property {string} name names it on the command line
 * @property {() => Promise<any>} prepare finds or installs what it needs; @throws Unavailable when it cannot be had here
 * @property {(tools: any) => Promise<string[]>} hear one line for the summary, then details; @throws when it contradicts
 */
import { azureCli } from './witness-azure-cli.mjs'
import { azurite } from './witness-azurite.mjs'
import { pythonSdks } from './witness-python-sdks.mjs'
import { restFacts } from './witness-rest-facts.mjs'
import { vhdReaders } from './witness-vhd-readers.mjs'

/** @type {readonly Witness[]} */
export const WITNESSES = [restFacts, azurite, pythonSdks, azureCli, vhdReaders]
