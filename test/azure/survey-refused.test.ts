/** What a refused diff means depends on whether the SAS of the cursor, which travels in a header, still lives. */
import { expect, test } from '@jest/globals'
import { ExportAccess } from '../../azure/export-access.ts'
import { createPageLists } from '../../azure/page-lists.ts'
import type { BackupPlan } from '../../domain/backup-plan.ts'
import type { SourceSnapshot } from '../../domain/source-disk.ts'
import { FlowControl } from '../../engine/flow-control.ts'
import { surveyChanges } from '../../engine/survey-changes.ts'
import { clientsFor } from './support/clients.ts'
import { playScript, storageError } from './support/scripted-server.ts'

const idOf = (name: string): string => `/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/snapshots/${name}`
const SNAPSHOT: SourceSnapshot = { id: idOf('new'), uniqueId: 'n', sizeBytes: 1024 ** 3, takenAt: '2026-11-22T10:15:00.000Z' }
const PLAN = { kind: 'incremental', cursor: { snapshotId: idOf('old') } } as BackupPlan

/** Every diff is refused; the SAS of the cursor answers with a status. */
async function survey(cursorStatus: number): Promise<unknown> {
  const disk = await playScript(({ method, path, headers }) => {
    if (method === 'HEAD') return { status: path.includes('old') ? cursorStatus : 200, headers: { 'x-ms-blob-type': 'PageBlob' } }
    return headers['x-ms-previous-snapshot-url'] === undefined ? { body: '<PageList/>' } : storageError(409, 'PreviousSnapshotNotFound')
  })
  const arm = await playScript(
    ({ path }) => ({ headers: { 'content-type': 'application/json' }, body: JSON.stringify({ accessSAS: `${disk.origin}/c/${path.includes('/old/') ? 'old' : 'new'}?sig=1` }) }),
    { tls: true },
  )
  const azure = clientsFor(arm.origin)
  try {
    const engine = { azure, exports: new ExportAccess(azure), pageLists: createPageLists(azure), flows: new FlowControl() }
    return await surveyChanges(engine, PLAN, SNAPSHOT).catch((error: unknown) => error)
  } finally {
    await arm.close()
    await disk.close()
  }
}

test('a SAS that has died is renewed by the retry, and the diff asked for again', async () => {
  expect(await survey(403)).toMatchObject({ type: 'ExportAccessLost' })
})

test('a diff that is refused with a live SAS is not to be had', async () => {
  expect(await survey(200)).toMatchObject({ plan: { kind: 'reseed', cause: 'DiffRefused' } })
})
