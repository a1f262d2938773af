import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { listDrillResults, writeDrillResult } from '../../azure/drill-results.ts'
import type { DrillResult } from '../../domain/drill-result.ts'
import { drillResultName } from '../../domain/names.ts'
import { openScene, type Scene } from './support/local-azure.ts'

let scene: Scene
beforeAll(async () => {
  scene = await openScene()
})
afterAll(() => scene?.close())

test('a result that Azure will not read is left out, and the others still come', async () => {
  const diskId = scene.idOf('disks', 'drilled')
  const at = '2026-11-22T10:15:00Z'
  const result: DrillResult = { format: 1, id: '1', diskId, region: 'westeurope', verdict: 'passed', startedAt: at, endedAt: at, phaseSeconds: {}, warnings: [] }
  for (const id of ['1', '2']) await writeDrillResult(scene.azure, scene.targetUrl, { ...result, id })
  const effect = { kind: 'status', status: 409, code: 'BlobArchived' } as const
  scene.local.faults.add({ operation: 'GetBlob', resource: `*/${drillResultName(diskId, '1')}`, effect })
  expect((await listDrillResults(scene.azure, scene.targetUrl, undefined)).map(({ id }) => id)).toEqual(['2'])
})
