import { expect, test } from '@jest/globals'
import { listBlobs } from '../../azure/blob-lists.ts'
import { ourSnapshotOf } from '../../engine/blob-snapshots.ts'
import { clientsFor, collect } from './support/clients.ts'
import { playScript } from './support/scripted-server.ts'

/** As a service lists it that keeps the case that a proxy has made of names, and ETags without quotes, as Azure's lists do. */
const LIST =
  '<?xml version="1.0" encoding="utf-8"?><EnumerationResults ContainerName="backups"><Blobs><Blob><Name>disks/d/c/base.vhd</Name>' +
  '<Snapshot>2026-11-22T10:15:00.0000000Z</Snapshot><Properties><Etag>0x8D1</Etag><Last-Modified>Sun, 22 Nov 2026 10:15:00 GMT</Last-Modified></Properties>' +
  '<Metadata><Snapferryrun>20261122T101500Z-0123456789ab</Snapferryrun><Snapferrykind>point</Snapferrykind><Snapferryepoch>3</Snapferryepoch></Metadata></Blob></Blobs><NextMarker/></EnumerationResults>'

test('metadata is found under names of any case, and an ETag can be sent back as it is', async () => {
  const server = await playScript([{ headers: { 'content-type': 'application/xml' }, body: LIST }], { tls: true })
  try {
    const [blob] = await collect(listBlobs(clientsFor(), `${server.origin}/acct/backups`, { prefix: 'disks/', includeSnapshots: true }))
    expect(blob).toMatchObject({ etag: '"0x8D1"', metadata: { snapferryrun: '20261122T101500Z-0123456789ab' } })
    expect(ourSnapshotOf({ snapshot: blob!.snapshot!, metadata: blob!.metadata })).toMatchObject({ kind: 'point', runKey: '20261122T101500Z-0123456789ab' })
  } finally {
    await server.close()
  }
})
