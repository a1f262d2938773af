/**
 * Faults that somebody could put into the code, each with the tests that must notice it. `find` stands exactly once in the file.
 *
 * @typedef {object} Mutant
 * @property {string} name what goes wrong
 * @property {string} file
 * @property {string} find
 * @property {string} replace
 * @property {string} tests pattern of test files
 * @property {string} [titles] pattern of test titles; default: all of them
 */

const HISTORIES = 'test/chaos/known-histories'
const FENCE = 'test/chaos/fence'

/** @type {readonly Mutant[]} */
export const MUTANTS = [
  {
    name: 'the offset of a copy is dropped',
    file: 'azure/page-writes.ts',
    find: 'uploadPagesFromURL(sourceUrl, sourceOffsetBytes, range.startBytes,',
    replace: 'uploadPagesFromURL(sourceUrl, sourceOffsetBytes, 0,',
    tests: HISTORIES,
    titles: 'brought forward',
  },
  {
    name: 'the count of a range is one page short',
    file: 'azure/page-list-xml.ts',
    find: 'endBytes: lastBytes + 1 }',
    replace: 'endBytes: lastBytes - 511 }',
    tests: 'test/azure/page-lists',
  },
  {
    name: 'the second page of ranges is lost',
    file: 'azure/page-list-pages.ts',
    find: 'next = nextMarker === undefined || isBehind ? undefined : ask(nextMarker)',
    replace: 'next = undefined',
    tests: 'test/azure/page-lists',
  },
  {
    name: 'clears are ignored',
    file: 'engine/backup-route.ts',
    find: "if (request.kind === 'clear') return base.clear(request, job.epoch, signal)",
    replace: "if (request.kind === 'clear') return",
    tests: HISTORIES,
    titles: 'brought forward',
  },
  {
    name: 'the footer is skipped',
    file: 'engine/source-changes.ts',
    find: "if (at.footer !== undefined) emit({ kind: 'copy', startBytes, endBytes })",
    replace: 'if (at.footer !== undefined) return',
    tests: HISTORIES,
    titles: 'no footer inside|brought forward',
  },
  {
    name: 'the old footer stays inside a disk that has grown',
    file: 'domain/transfer-job.ts',
    find: '...(sizeBytes < snapshot.sizeBytes && { oldFooter })',
    replace: '...(sizeBytes > snapshot.sizeBytes && { oldFooter })',
    tests: 'test/unit/transfer-job',
  },
  {
    name: 'the epoch is not raised when a run opens the base blob',
    file: 'engine/open-base-blob.ts',
    find: 'const raised = await lock.raiseEpoch(found.etag, signal, highest > found.sequenceNumber ? highest + 1 : undefined)',
    replace: 'const raised = { epoch: found.sequenceNumber, etag: found.etag }',
    tests: FENCE,
    titles: 'terminated is refused',
  },
  {
    name: 'the epoch is not raised before the blob snapshot',
    file: 'engine/seal-point.ts',
    find: '  else await lock.raiseEpoch(found.etag, options.signal)\n',
    replace: '',
    tests: FENCE,
    titles: 'sealed is refused',
  },
  {
    name: 'a point is sealed whatever the verification finds',
    file: 'engine/verify-base-blob.ts',
    find: 'mismatches: coarsen([...comparisons.flatMap((comparison) => comparison.differing), ...rotten], MAX_REPORTED_RANGES),',
    replace: 'mismatches: [],',
    tests: FENCE,
    titles: 'middle of a run',
  },
  {
    name: 'the cursor is deleted with the run that made it',
    file: 'engine/release-run.ts',
    find: 'if (!isCursor(id) && (isOld ||',
    replace: 'if ((isOld ||',
    tests: HISTORIES,
    titles: 'brought forward',
  },
  {
    name: 'a snapshot of another family is accepted',
    file: 'domain/backup-plan.ts',
    find: "return isOneFamily ? plan : { kind: 'reseed', cause: 'FamilyChanged' }",
    replace: 'return plan',
    tests: 'test/unit/backup-plan',
  },
  {
    name: 'a diff across 4 TiB is trusted',
    file: 'domain/backup-plan.ts',
    find: 'fromBytes <= lineBytes !== toBytes <= lineBytes',
    replace: 'fromBytes <= lineBytes && toBytes <= 0',
    tests: 'test/unit/backup-plan',
  },
  {
    name: 'the snapshot of an earlier run of the request is used again',
    file: 'engine/blob-snapshots.ts',
    find: ' && one.epoch === epoch)',
    replace: ')',
    tests: HISTORIES,
    titles: 'bytes of its earlier run',
  },
  {
    name: 'a request that comes again passes its old point off as new',
    file: 'engine/open-base-blob.ts',
    find: '  await refuseSealed(engine, options)\n',
    replace: '',
    tests: FENCE,
    titles: 'whose point exists',
  },
  {
    name: 'a checkpoint runs ahead of the writes',
    file: 'engine/request-pool.ts',
    find: 'onDone(request, watermark())',
    replace: 'onDone(request, pulledUpToBytes)',
    tests: 'test/unit/request-pool',
  },
  {
    name: 'a resumed attempt skips what was not written',
    file: 'engine/backup-route.ts',
    find: "(at.change.kind === 'copy' && at.written !== undefined)",
    replace: "(at.change.kind === 'copy' && at.written === undefined)",
    tests: HISTORIES,
    titles: 'transfer that is resumed',
  },
  {
    name: 'bytes come from the cursor instead of the new snapshot',
    file: 'engine/backup-route.ts',
    find: 'const url = await engine.exports.read(toSnapshotId, signal, blobBytes)',
    replace: 'const url = await engine.exports.read(fromSnapshotId ?? toSnapshotId, signal, blobBytes)',
    tests: HISTORIES,
    titles: 'brought forward',
  },
  {
    name: 'what an interrupted run wrote is left in the base blob',
    file: 'engine/open-base-blob.ts',
    find: "...(lastPoint !== undefined && !isOverwritten && since.includes('some') && { leftoversSince: lastPoint }),",
    replace: '',
    tests: HISTORIES,
    titles: 'a terminated run wrote',
  },
  {
    name: 'access to the snapshots is not revoked',
    file: 'engine/release-run.ts',
    find: 'for (const snapshotId of options.granted) await tryStep(() => engine.exports.revoke(snapshotId, options.signal))',
    replace: '',
    tests: HISTORIES,
    titles: 'brought forward',
  },
  {
    name: 'a blob snapshot is taken by every attempt',
    file: 'engine/blob-snapshots.ts',
    find: '  if (found !== undefined) return found.snapshot\n',
    replace: '',
    tests: FENCE,
    titles: 'once a run',
  },
  {
    name: 'retention keeps one too few',
    file: 'domain/retention.ts',
    find: 'sorted.slice(0, keepLast), remove: sorted.slice(keepLast)',
    replace: 'sorted.slice(0, keepLast - 1), remove: sorted.slice(keepLast - 1)',
    tests: 'test/unit/retention',
  },
  {
    name: 'pages of a stripe are taken for those of the first',
    file: 'domain/stripes.ts',
    find: 'return (place * count + stripe) * unitBytes + (offsetBytes % unitBytes)',
    replace: 'return place * count * unitBytes + (offsetBytes % unitBytes)',
    tests: 'test/unit/stripes',
  },
  {
    name: 'a digest forgets where in its chunk a piece lies',
    file: 'domain/digest-table.ts',
    find: 'return appendZeros(raw, chunk.endBytes - piece.endBytes)',
    replace: 'return raw',
    tests: 'test/unit/digest-table',
  },
  {
    name: 'a disk made anew is taken for the one before it',
    file: 'domain/names.ts',
    find: '${id.trim().toLowerCase()} ${uniqueId.toLowerCase()} ',
    replace: '${id.trim().toLowerCase()} ',
    tests: HISTORIES,
    titles: 'made anew',
  },
  {
    name: 'level source reads a sample of what changed',
    file: 'engine/verify-base-blob.ts',
    find: "const isEveryChangeRead = rule.level === 'source'",
    replace: 'const isEveryChangeRead = false',
    tests: 'test/workflows/verify-source',
    titles: 'flipped on its way',
  },
  {
    name: 'what rotted unchanged is mended, and its chunk keeps what the last point holds',
    file: 'engine/verify-base-blob.ts',
    find: 'wholeChunks([...unchanged.differing, ...allUnchanged.differing], job.blobBytes)',
    replace: '[...unchanged.differing, ...allUnchanged.differing]',
    tests: 'test/workflows/verify-source',
    titles: 'rotted in a chunk',
  },
  {
    name: 'retention deletes what a restore reads',
    file: 'engine/release-run.ts',
    find: 'for (const point of await withoutHeld(engine, remove, options)) {',
    replace: 'for (const point of remove) {',
    tests: 'test/workflows/held-points',
    titles: 'leaves it while it is restored',
  },
  {
    name: 'a manifest is written over',
    file: 'azure/manifests.ts',
    find: "        conditions: { ifNoneMatch: '*' },\n",
    replace: '',
    tests: 'test/workflows/two-installations',
    titles: 'two attempts of one seal',
  },
]
