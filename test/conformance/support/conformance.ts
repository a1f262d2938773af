/**
 * Runs a set of facts on the local Azure always, and on a real subscription when the environment names one. Where it does not,
 * one skipped test says which variables are missing.
 */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, jest, test } from '@jest/globals'
import { chooseAzure } from './azure-settings.ts'
import { openBlobs, type Blobs } from './blobs.ts'
import { openDisks, type Disks } from './disks.ts'
import { openAzurePlace, openLocalPlace, type Place } from './place.ts'

/** What a test works with; its parts are there once the tests run. */
export interface Ground {
  readonly place: Place
  readonly blobs: Blobs
  readonly disks: Disks
}

/** Operations on disks take up to minutes on Azure. */
const AZURE_TEST_TIMEOUT_MS = 15 * 60_000

/**
 * @param ground the getter gives the ground of the place that the tests are running on
 */
export function conformance(subject: string, facts: (ground: () => Ground, isLocal: boolean) => void): void {
  describe(`${subject} on the local Azure`, () => facts(opened(openLocalPlace), true))

  const azure = chooseAzure()
  if (azure.kind === 'none') {
    test.skip(`${subject} on Azure: not run, ${azure.missing.join(', ')} not set; see docs/conformance.md`, () => {})
    return
  }
  jest.setTimeout(AZURE_TEST_TIMEOUT_MS)
  describe(`${subject} on Azure`, () => facts(opened(() => openAzurePlace(azure.settings)), false))
}

/** Opens the ground before the tests and clears it away after them. */
function opened(openPlace: () => Promise<Place>): () => Ground {
  let ground: Ground | undefined
  beforeAll(async () => {
    const place = await openPlace()
    const runId = `conformance-${randomUUID().slice(0, 8)}`
    ground = { place, blobs: await openBlobs(place.credential, place.accountUrl, runId), disks: openDisks(place, runId) }
  })
  afterAll(async () => {
    await ground?.disks.close()
    await ground?.blobs.close()
    await ground?.place.close()
  })
  return () => {
    if (ground === undefined) throw new Error('the ground is not open')
    return ground
  }
}
