/** The custom roles of docs/operations.md, held against what the local Azure asks for: enough, and nothing to spare. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { WorkflowFailedError } from '@temporalio/client'
import { toRunFailure } from '../../client/run-failure.ts'
import { KIB, MIB } from '../../domain/byte-range.ts'
import { isFailure } from '../../domain/failures.ts'
import { seededRandom } from '../../domain/sampler.ts'
import { DEFAULT_PRINCIPAL } from '../../simulator/azure.ts'
import { roleActions } from '../support/operations-doc.ts'
import { noise } from '../support/random-disk.ts'
import { openScene, TARGET_REGION, type Scene } from '../support/scene.ts'

const TARGET = roleActions('target')
const GET_INFO = 'Microsoft.Storage/storageAccounts/blobServices/getInfo/action'

let scene: Scene
beforeAll(async () => {
  scene = await openScene()
  scene.azure.createResourceGroup({ name: 'restored', location: TARGET_REGION })
})
afterEach(() => allow([{ actions: ['*'] }]))
afterAll(() => scene?.close())

type Assignments = Parameters<Scene['azure']['assignRoles']>[1]

function allow(assignments: Assignments): void {
  scene.azure.assignRoles(DEFAULT_PRINCIPAL, assignments)
}

/** The three roles where docs/operations.md puts them, without `missing`. */
function allowRoles(missing?: string): void {
  const without = (actions: readonly string[]): string[] => actions.filter((action) => action !== missing)
  const group = (name: string): string => `/subscriptions/${scene.azure.subscriptionId}/resourceGroups/${name}`
  allow([
    { actions: without(roleActions('source')), scope: group('source') },
    { actions: without(TARGET) },
    { actions: without(roleActions('restore')), scope: group('restored') },
  ])
}

async function diskWithData(): Promise<string> {
  const diskId = scene.createDisk(1)
  await scene.azure.writeDisk(diskId, 0, noise(MIB, seededRandom(1)))
  return diskId
}

/** What an operator is told: the warnings of a run that succeeded, or why it failed. */
async function wordsOf(run: Promise<{ readonly warnings: readonly string[] }>): Promise<{ exit: 'point' | 'denied'; words: string }> {
  try {
    const { warnings } = await run
    return { exit: 'point', words: warnings.join('\n') }
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error
    const failure = toRunFailure(error, 'run')
    if (!isFailure(failure, 'AccessDenied')) throw error
    return { exit: 'denied', words: failure.message }
  }
}

describe('the roles for source and target', () => {
  test('are enough for a full backup and an incremental one that deletes what it no longer needs', async () => {
    const diskId = await diskWithData()
    allowRoles()
    const options = { retention: { keepLast: 1 } }
    expect((await scene.backUp(diskId, options)).warnings).toEqual([])
    await scene.azure.writeDisk(diskId, 0, noise(64 * KIB, seededRandom(2)))
    const { point, warnings } = await scene.backUp(diskId, options)
    expect({ kind: point.kind, warnings }).toEqual({ kind: 'incremental', warnings: [] })
    expect(await scene.points(diskId)).toHaveLength(1)
    expect(scene.azure.grantedAccess()).toEqual([])
  })

  test.each([...roleActions('source'), ...TARGET.filter((action) => action !== GET_INFO)])('have no %s to spare: it is named where it is missing', async (action) => {
    const diskId = await diskWithData()
    const options = { retention: { keepLast: 1 } }
    await scene.backUp(diskId, options)
    await scene.azure.writeDisk(diskId, 0, noise(64 * KIB, seededRandom(2)))
    allowRoles(action)
    const { exit, words } = await wordsOf(scene.backUp(diskId, options))
    expect(words).toContain(action)
    // What may not be cleaned up is no reason to have no point.
    expect(exit).toBe(/\/delete$|endGetAccess/.test(action) ? 'point' : 'denied')
  })

  test('may lack getInfo', async () => {
    const diskId = await diskWithData()
    allowRoles(GET_INFO)
    expect((await scene.backUp(diskId)).warnings).toEqual([])
  })
})

describe('the roles for target and restore', () => {
  test('are enough for a restore', async () => {
    const { point } = await scene.backUp(await diskWithData())
    allowRoles()
    expect((await scene.restore({ pointId: point.id })).warnings).toEqual([])
  })

  test.each(roleActions('restore').filter((action) => !action.endsWith('/delete')))('have no %s to spare: it is named where it is missing', async (action) => {
    const { point } = await scene.backUp(await diskWithData())
    allowRoles(action)
    expect(await wordsOf(scene.restore({ pointId: point.id }))).toEqual({ exit: 'denied', words: expect.stringContaining(action) })
  })
})
