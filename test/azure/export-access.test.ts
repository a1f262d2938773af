import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { GIB, MIB } from '../../domain/byte-range.ts'
import { restoreTags, sourceSnapshotTags } from '../../domain/tags.ts'
import { createUploadDisk } from '../../azure/new-disks.ts'
import { ExportAccess } from '../../azure/export-access.ts'
import { readSource, sizeOfSource } from '../../azure/source-blob.ts'
import { createIncrementalSnapshot } from '../../azure/snapshots.ts'
import { clientsFor, failureOf } from './support/clients.ts'
import { openScene, type Scene } from './support/local-azure.ts'
import { playScript } from './support/scripted-server.ts'

const PAGE = { startBytes: 0, endBytes: 512 }

let scene: Scene
let disk: { id: string; uniqueId: string }

beforeAll(async () => {
  scene = await openScene()
  disk = scene.local.createDisk({ name: 'source', sizeGib: 1 })
  await scene.local.writeDisk(disk.id, MIB, Buffer.alloc(512, 7))
})
afterAll(() => scene.close())
afterEach(() => {
  for (const { id } of scene.local.grantedAccess()) scene.local.withdrawAccess(id)
  scene.local.changeSettings({ secondGrant: 'same' })
})

async function aSnapshot(name: string): Promise<string> {
  const id = scene.idOf('snapshots', name)
  await createIncrementalSnapshot(scene.azure, {
    id,
    diskId: disk.id,
    diskUniqueId: disk.uniqueId,
    location: 'westeurope',
    tags: sourceSnapshotTags({ targetKey: 't', diskUniqueId: disk.uniqueId }, name),
  })
  return id
}

describe('export access', () => {
  test('a SAS reads the content of a snapshot and its footer', async () => {
    const url = await new ExportAccess(scene.azure).read(await aSnapshot('s1'))
    expect(await sizeOfSource(scene.azure, url)).toBe(GIB + 512)
    expect(await readSource(scene.azure, url, { startBytes: MIB, endBytes: MIB + 1024 })).toEqual(
      Buffer.concat([Buffer.alloc(512, 7), Buffer.alloc(512)]),
    )
    expect((await readSource(scene.azure, url, { startBytes: GIB, endBytes: GIB + 512 })).subarray(0, 8).toString()).toBe('conectix')
  })

  test('callers at the same time and later share one grant', async () => {
    const access = new ExportAccess(scene.azure)
    const id = await aSnapshot('s2')
    const before = grants()
    const urls = await Promise.all([access.read(id), access.read(id.toUpperCase()), access.read(id)])
    expect(new Set([...urls, await access.read(id)]).size).toBe(1)
    expect(grants() - before).toBe(1)
  })

  test('one caller that gives up does not take the grant from the others', async () => {
    const access = new ExportAccess(scene.azure)
    const id = await aSnapshot('s3')
    const controller = new AbortController()
    const abandoned = access.read(id, controller.signal)
    const kept = access.read(id)
    controller.abort()
    await expect(abandoned).rejects.toMatchObject({ name: 'AbortError' })
    expect(await kept).toContain('sig=')
  })

  test('a lost SAS is renewed once for all who lost it', async () => {
    const access = new ExportAccess(scene.azure)
    const id = await aSnapshot('s4')
    const stale = await access.read(id)
    scene.local.withdrawAccess(id)
    expect(await failureOf(readSource(scene.azure, stale, { startBytes: 0, endBytes: 512 }))).toMatchObject({
      type: 'ExportAccessLost',
    })
    const before = grants()
    const renewed = await Promise.all([access.renew(id, stale), access.renew(id, stale)])
    expect(renewed[0]).toBe(renewed[1])
    expect(renewed[0]).not.toBe(stale)
    expect(await access.renew(id, stale)).toBe(renewed[0])
    expect(grants() - before).toBe(1)
    expect(await readSource(scene.azure, renewed[0], { startBytes: 0, endBytes: 512 })).toHaveLength(512)
  })

  test('a SAS that another worker has is respected, and taken over when patience is over', async () => {
    scene.local.changeSettings({ secondGrant: 'refuse' })
    const id = await aSnapshot('s5')
    const left = await new ExportAccess(scene.azure).read(id)
    const patient = new ExportAccess(scene.azure)
    expect(await failureOf(patient.read(id))).toMatchObject({ type: 'SnapshotAccessBusy', retry: 'later' })
    expect(await readSource(scene.azure, left, PAGE)).toHaveLength(512)
    const taken = await new ExportAccess(scene.azure, { patienceMs: 0 }).read(id)
    expect(taken).not.toBe(left)
    expect(await readSource(scene.azure, taken, PAGE)).toHaveLength(512)
  })

  test('patience begins when the SAS of another is first in the way, and ends with it', async () => {
    scene.local.changeSettings({ secondGrant: 'refuse' })
    const id = await aSnapshot('s5b')
    const left = await new ExportAccess(scene.azure).read(id)
    const second = new ExportAccess(scene.azure, { patienceMs: 300 })
    expect(await failureOf(second.read(id))).toMatchObject({ type: 'SnapshotAccessBusy' })
    await new Promise((resolve) => setTimeout(resolve, 310))
    expect(await second.read(id)).not.toBe(left)
  })

  test('of two workers whose grants end each other, the first leaves the snapshot to the second', async () => {
    scene.local.changeSettings({ secondGrant: 'new' })
    const id = await aSnapshot('s5c')
    const [first, second] = [new ExportAccess(scene.azure), new ExportAccess(scene.azure)]
    const stale = await first.read(id)
    const live = await second.read(id)
    expect(await failureOf(readSource(scene.azure, stale, PAGE))).toMatchObject({ type: 'ExportAccessLost' })
    expect(await failureOf(first.renew(id, stale))).toMatchObject({ type: 'SnapshotAccessBusy', facts: { isHeld: true } })
    expect(await readSource(scene.azure, live, PAGE)).toHaveLength(512)
    await second.revoke(id)
    expect(await readSource(scene.azure, await first.read(id), PAGE)).toHaveLength(512)
  })

  test('a SAS that is refused while Azure hands it out again is told with the reason, and made anew when patience is over', async () => {
    let granted = 1
    const storage = await playScript(({ path }) => (path.includes('sig=1') ? { status: 403, headers: { 'x-ms-error-code': 'AuthorizationFailure' } } : { headers: { 'x-ms-blob-type': 'PageBlob' } }))
    const arm = await playScript(
      ({ method, path }) => {
        const json = { 'content-type': 'application/json' }
        if (path.includes('endGetAccess')) granted++
        if (method === 'GET') return { headers: json, body: JSON.stringify({ location: 'westeurope', properties: { diskState: 'ActiveSAS', creationData: {} } }) }
        return { headers: json, body: JSON.stringify({ accessSAS: `${storage.origin}/c/b?sig=${granted}` }) }
      },
      { tls: true },
    )
    try {
      const access = new ExportAccess(clientsFor(arm.origin), { patienceMs: 300 })
      const id = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/snapshots/n'
      const stale = await access.read(id)
      expect(await failureOf(access.renew(id, stale))).toMatchObject({ type: 'SnapshotAccessBusy', message: expect.stringContaining('AuthorizationFailure') })
      expect(await failureOf(access.read(id))).toMatchObject({ type: 'SnapshotAccessBusy', message: expect.stringContaining('AuthorizationFailure') })
      await new Promise((resolve) => setTimeout(resolve, 310))
      expect(await access.read(id)).not.toBe(stale)
    } finally {
      await arm.close()
      await storage.close()
    }
  })

  test('a SAS that is still good stays as it is when it is renewed with another one', async () => {
    const access = new ExportAccess(scene.azure)
    const id = await aSnapshot('s5g')
    const url = await access.read(id)
    expect(await access.renew(id, url)).toBe(url)
    expect(await readSource(scene.azure, url, PAGE)).toHaveLength(512)
  })

  test('a diff takes both SAS or none, so that runs never wait for each other', async () => {
    const ids = await Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map((name) => aSnapshot(`s5d${name}`)))
    const others = new ExportAccess(scene.azure)
    for (const id of ids.slice(0, 4)) await others.read(id)
    const access = new ExportAccess(scene.azure)
    expect(await failureOf(access.readBoth(ids[4]!, ids[5]!))).toMatchObject({ type: 'SnapshotAccessBusy' })
    expect(scene.local.grantedAccess().map(({ id }) => id.toLowerCase())).not.toContain(ids[4]!.toLowerCase())
    await others.revoke(ids[0]!)
    const { url, previousUrl } = await access.readBoth(ids[4]!, ids[5]!)
    expect(url).not.toBe(previousUrl)
  })

  test('a grant lasts as long as what is to be read may take', async () => {
    const TIB = 1024 * GIB
    const [small, large] = [await aSnapshot('s5e'), await aSnapshot('s5f')]
    const access = new ExportAccess(scene.azure)
    await access.read(small)
    await access.read(large, undefined, 8 * TIB)
    const hoursOf = (id: string): number => {
      const grant = scene.local.grantedAccess().find((one) => one.id.toLowerCase() === id.toLowerCase())
      return (Date.parse(grant!.expiresAt) - Date.now()) / 3_600_000
    }
    expect(hoursOf(small)).toBeCloseTo(6, 0)
    expect(hoursOf(large)).toBeGreaterThan(2 * 38.8)
    expect(hoursOf(large)).toBeLessThan(60 * 24)
  })

  test('the sixth SAS of a family is busy, and to be had once another is revoked', async () => {
    const access = new ExportAccess(scene.azure)
    const ids = await Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map((name) => aSnapshot(`s6${name}`)))
    const last = ids.pop()!
    await Promise.all(ids.map((id) => access.read(id)))
    expect(await failureOf(access.read(last))).toMatchObject({ type: 'SnapshotAccessBusy', retry: 'later' })
    await access.revoke(ids[0]!)
    expect(await access.read(last)).toContain('sig=')
  })

  test('revoking ends access, also of another process, twice, and of a missing resource', async () => {
    const id = await aSnapshot('s7')
    const url = await new ExportAccess(scene.azure).read(id)
    const access = new ExportAccess(scene.azure)
    await access.revoke(id)
    await access.revoke(id)
    await access.revoke(scene.idOf('snapshots', 'none'))
    expect(await failureOf(readSource(scene.azure, url, { startBytes: 0, endBytes: 512 }))).toMatchObject({
      type: 'ExportAccessLost',
    })
  })

  test('revoking waits for a grant that is under way', async () => {
    const access = new ExportAccess(scene.azure)
    const id = await aSnapshot('s8')
    const granted = access.read(id)
    await access.revoke(id)
    await granted
    expect(scene.local.grantedAccess()).toEqual([])
  })

  test('a missing snapshot is told as such', async () => {
    const failure = await failureOf(new ExportAccess(scene.azure).read(scene.idOf('snapshots', 'none')))
    expect(failure.type).toBe('SourceSnapshotNotFound')
  })

  test('a disk that waits for its content is written by a SAS', async () => {
    const id = scene.idOf('disks', 'upload')
    const shape = { logicalSectorBytes: 512 }
    await createUploadDisk(scene.azure, {
      id,
      location: 'northeurope',
      sizeBytes: GIB,
      shape,
      tags: restoreTags('p', 'r'),
    })
    const access = new ExportAccess(scene.azure)
    const url = await access.write(id)
    expect(await access.renew(id, 'stale')).toBe(url)
    // Nobody could get it back: to revoke it would end the upload.
    scene.local.changeSettings({ secondGrant: 'refuse' })
    expect(await access.renew(id, url)).toBe(url)
    expect(await access.write(id)).toBe(url)
  })
})

function grants(): number {
  const { compute } = scene.local.stats()
  return Object.entries(compute).reduce((sum, [name, count]) => (name.endsWith('_GrantAccess') ? sum + count : sum), 0)
}
