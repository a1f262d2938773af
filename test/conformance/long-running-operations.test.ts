/** Long-running operations: the headers of a 202 and the documents at both addresses (issues cited in docs/conformance.md). */
import { expect, test } from '@jest/globals'
import { conformance } from './support/conformance.ts'
import { operationEnd } from './support/long-running.ts'
import { callArm, jsonOf } from './support/rest.ts'

conformance('long-running operations', (ground) => {
  test('a grant answers 202 with both addresses and a time to wait', async () => {
    const { disks } = ground()
    const { id } = await disks.createEmptyDisk()
    const answer = await disks.arm('POST', `${id}/beginGetAccess`, { access: 'Read', durationInSeconds: 600 })
    expect(answer.status).toBe(202)
    const operation = /\/providers\/Microsoft\.Compute\/locations\/[^/]+\/DiskOperations\/[0-9a-f-]{36}\?/i
    expect(answer.headers['azure-asyncoperation']).toMatch(operation)
    expect(answer.headers['location']).toMatch(operation)
    expect(answer.headers['location']).toMatch(/[?&]monitor=true/)
    await disks.settle(answer)
  })

  test('the SAS is in properties.output at the one address and bare at the other', async () => {
    const { disks, place } = ground()
    const { id } = await disks.createEmptyDisk()
    const answer = await disks.arm('POST', `${id}/beginGetAccess`, { access: 'Read', durationInSeconds: 600 })
    const end = await operationEnd(place.credential, answer)
    expect(end).toMatchObject({ status: 'Succeeded', name: expect.any(String) })
    const result = await callArm(place.credential, 'GET', answer.headers['location'] ?? '')
    expect(result.status).toBe(200)
    const { accessSAS: bare } = jsonOf(result) as { accessSAS?: string }
    expect(bare).toMatch(/^https:.*[?&]sig=/)
    expect(end.properties?.output?.['accessSAS']).toBe(bare)
  })

  test('a revocation ends without a result', async () => {
    const { disks } = ground()
    const { id } = await disks.createEmptyDisk()
    await disks.grant(id)
    const answer = await disks.arm('POST', `${id}/endGetAccess`)
    expect([200, 202]).toContain(answer.status)
    expect((await disks.settle(answer))?.properties?.output?.['accessSAS']).toBeUndefined()
  })

  test('an operation that there never was is not found', async () => {
    const { place, disks } = ground()
    const path = `/subscriptions/${place.subscriptionId}/providers/Microsoft.Compute/locations/${place.region}/DiskOperations/00000000-0000-0000-0000-000000000000`
    expect((await disks.arm('GET', path)).status).toBe(404)
  })

  test('a body that is no JSON, and one that misses what it must have, are 400', async () => {
    const { disks } = ground()
    const id = disks.idOf('snapshots', disks.freshName())
    expect((await disks.arm('PUT', id, 'just text')).status).toBe(400)
    expect((await disks.arm('PUT', id, { location: ground().place.region, properties: {} })).status).toBe(400)
  })
})
