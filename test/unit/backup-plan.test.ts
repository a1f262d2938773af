import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import {
  confirmPlan,
  effectiveCursor,
  planBackup,
  RESEED_CAUSES,
  type BackupPlan,
  type PlanFacts,
  type Refusal,
} from '../../domain/backup-plan.ts'
import type { BaseBlobState } from '../../domain/base-blob-state.ts'
import { GIB } from '../../domain/byte-range.ts'
import { FAILURES } from '../../domain/failures.ts'
import { blobBytesOf } from '../../domain/source-disk.ts'
import { stripingOf } from '../../domain/stripes.ts'
import { aCursor, aDisk, aSnapshot, DISK_ID } from './support/builders.ts'

type Base = NonNullable<PlanFacts['base']>

function aState(overrides: Partial<BaseBlobState> = {}): BaseBlobState {
  return {
    diskId: DISK_ID,
    diskUniqueId: 'disk-unique-1',
    condition: 'clean',
    runKey: 'run-1',
    cursor: aCursor(),
    lastPoint: { pointId: 'run-1', blobSnapshot: '2026-03-01T02:07:29.1234567Z' },
    ...overrides,
  }
}

function aBase(overrides: Partial<Base> = {}): Base {
  return {
    sizeBytes: blobBytesOf(64 * GIB),
    state: aState(),
    isLastPointPresent: true,
    isPendingSealed: false,
    ...overrides,
  }
}

/** All is well: a clean base blob, its point and its cursor are there. */
function facts(overrides: Partial<PlanFacts> = {}): PlanFacts {
  return { disk: aDisk(), base: aBase(), cursorSnapshot: aSnapshot(), ...overrides }
}

/** A disk that grew from one size to another since its cursor. */
function grown(fromGib: number, toGib: number): PlanFacts {
  const sizeBytes = fromGib * GIB
  return facts({
    disk: aDisk({ sizeBytes: toGib * GIB }),
    base: aBase({ sizeBytes: blobBytesOf(sizeBytes), state: aState({ cursor: aCursor({ sizeBytes }) }) }),
    cursorSnapshot: aSnapshot({ sizeBytes }),
  })
}

function withoutCursor(): BaseBlobState {
  const { cursor: _none, ...rest } = aState()
  return rest
}

function withoutCursorSnapshot(): PlanFacts {
  const { cursorSnapshot: _none, ...rest } = facts()
  return rest
}

const pending = aCursor({
  snapshotId: '/subscriptions/5a7e/resourceGroups/Vaults/providers/Microsoft.Compute/snapshots/sf-2',
  snapshotUniqueId: 'snapshot-unique-2',
})
const dirty = aState({ condition: 'dirty', runKey: 'run-2', pending })

describe('the plan', () => {
  const plans: [string, PlanFacts, BackupPlan][] = [
    ['no base blob: full', { disk: aDisk() }, { kind: 'full' }],
    ['all in place: incremental', facts(), { kind: 'incremental', cursor: aCursor() }],
    [
      'the cursor spelled in other case is the cursor',
      facts({ cursorSnapshot: aSnapshot({ uniqueId: 'SNAPSHOT-Unique-1' }) }),
      { kind: 'incremental', cursor: aCursor() },
    ],
    [
      'a run that was broken off: incremental from its cursor',
      facts({ base: aBase({ state: dirty }) }),
      { kind: 'incremental', cursor: aCursor() },
    ],
    [
      'a run that sealed but lost its last mark: incremental from what it sealed',
      facts({
        base: aBase({ state: dirty, isPendingSealed: true }),
        cursorSnapshot: aSnapshot({ id: pending.snapshotId, uniqueId: pending.snapshotUniqueId }),
      }),
      { kind: 'incremental', cursor: pending },
    ],
    ['a disk that grew: incremental', grown(64, 65), { kind: 'incremental', cursor: aCursor() }],
    [
      'a base blob that a broken-off run has resized: incremental',
      facts({ disk: aDisk({ sizeBytes: 65 * GIB }), base: aBase({ sizeBytes: blobBytesOf(65 * GIB) }) }),
      { kind: 'incremental', cursor: aCursor() },
    ],
    [
      'no sealed run yet',
      facts({ base: aBase({ state: withoutCursor() }) }),
      { kind: 'reseed', cause: 'CursorUnknown' },
    ],
    [
      'the newest point is gone',
      facts({ base: aBase({ isLastPointPresent: false }) }),
      { kind: 'reseed', cause: 'LastPointGone' },
    ],
    ['the cursor snapshot is gone', withoutCursorSnapshot(), { kind: 'reseed', cause: 'CursorSnapshotGone' }],
    [
      'the cursor of the sealed run is gone, though the one before it is there',
      facts({ base: aBase({ state: dirty, isPendingSealed: true }) }),
      { kind: 'reseed', cause: 'CursorSnapshotReplaced' },
    ],
    [
      'another snapshot has the name of the cursor',
      facts({ cursorSnapshot: aSnapshot({ uniqueId: 'another' }) }),
      { kind: 'reseed', cause: 'CursorSnapshotReplaced' },
    ],
    ['growth across 4 TiB', grown(1024, 5000), { kind: 'reseed', cause: 'SizeCrossed4TiB' }],
    [
      'another number of stripes than the base blob has',
      facts({ striping: stripingOf(4) }),
      { kind: 'reseed', cause: 'LayoutChanged' },
    ],
    [
      'the stripes that are there: incremental',
      facts({
        striping: stripingOf(4),
        base: aBase({ sizeBytes: 16 * GIB + 512, state: aState({ striping: stripingOf(4) }) }),
      }),
      { kind: 'incremental', cursor: aCursor() },
    ],
    [
      'a broken-off run that had not yet shortened the first stripe: the wish decides, not the size',
      facts({ striping: stripingOf(4), base: aBase({ state: { ...dirty, striping: stripingOf(4) } }) }),
      { kind: 'incremental', cursor: aCursor() },
    ],
  ]

  test.each(plans)('%s', (_claim, given, expected) => {
    expect(planBackup(given)).toEqual(expected)
  })

  const crossings: [number, number, BackupPlan['kind']][] = [
    [4094, 4095, 'incremental'],
    [4095, 4096, 'reseed'],
    [4094, 4096, 'reseed'],
    [4096, 4097, 'reseed'],
    [4095, 4097, 'reseed'],
    [4097, 8191 - 1, 'incremental'],
    [4096, 4096, 'incremental'],
  ]

  test.each(crossings)('growth from %d to %d GiB is %s, since either line may be the one', (fromGib, toGib, kind) => {
    expect(planBackup(grown(fromGib, toGib)).kind).toBe(kind)
  })

  test('a size that lies a byte behind the line has crossed it', () => {
    const cursor = aCursor({ sizeBytes: 4095 * GIB })
    expect(confirmPlan({ kind: 'incremental', cursor }, aSnapshot({ sizeBytes: 4095 * GIB + 1 })).kind).toBe('reseed')
  })
})

describe('a refusal', () => {
  const refusals: [string, PlanFacts, Refusal['type'], string][] = [
    [
      '4096-byte sectors',
      facts({ disk: aDisk({ shape: { logicalSectorBytes: 4096 } }) }),
      'SectorSizeNotSupported',
      'VHDX',
    ],
    ...['ConfidentialVM_DiskEncryptedWithPlatformKey', 'ConfidentialVM_DiskEncryptedWithCustomerKey'].map(
      (securityType): [string, PlanFacts, Refusal['type'], string] => [
        `a disk whose bytes only its guest state can read (${securityType})`,
        facts({ disk: aDisk({ shape: { logicalSectorBytes: 512, securityType } }) }),
        'SecurityTypeNotSupported',
        'vTPM',
      ],
    ),
    ['a disk of 32 TiB, which no upload takes', { disk: aDisk({ sizeBytes: 32 * 1024 * GIB }) }, 'DiskTooLarge', '32768 GiB'],
    [
      'a disk smaller than its base blob',
      facts({ base: aBase({ sizeBytes: blobBytesOf(64 * GIB) + 512 }) }),
      'DiskShrank',
      'never shrink',
    ],
    [
      'a disk smaller than a broken-off run took it for',
      facts({ base: aBase({ state: { ...dirty, pending: { ...pending, sizeBytes: 65 * GIB } } }) }),
      'DiskShrank',
      'never shrink',
    ],
  ]

  test.each(refusals)('meets %s', (_what, given, type, words) => {
    const plan = planBackup(given)
    expect(plan).toMatchObject({ kind: 'refuse', type })
    expect(plan).toHaveProperty('reason', expect.stringContaining(words))
    expect(plan).toHaveProperty('reason', expect.stringContaining(DISK_ID))
    expect(FAILURES[type].retry).toBe('never')
  })

  test.each(['TrustedLaunch', 'ConfidentialVM_VMGuestStateOnlyEncryptedWithPlatformKey', 'ConfidentialVM_NonPersistedTPM', 'Standard'])(
    'is not for a disk of security type %s: its bytes can be read without the guest state',
    (securityType) => {
      expect(planBackup({ disk: aDisk({ shape: { logicalSectorBytes: 512, securityType } }) }).kind).toBe('full')
    },
  )

  test('comes before a first full transfer too', () => {
    expect(planBackup({ disk: aDisk({ shape: { logicalSectorBytes: 4096 } }) })).toMatchObject({ kind: 'refuse' })
  })

  test('does not meet the largest disk that fits', () => {
    expect(planBackup({ disk: aDisk({ sizeBytes: 8191 * GIB }) })).toEqual({ kind: 'full' })
  })
})

describe('against the snapshot that was taken', () => {
  const plan: BackupPlan = { kind: 'incremental', cursor: aCursor() }

  test.each<[string, string | undefined, string | undefined, BackupPlan]>([
    ['the same family', 'family-1', 'family-1', plan],
    ['the same family in other case', 'family-1', 'FAMILY-1', plan],
    ['another family', 'family-1', 'family-2', { kind: 'reseed', cause: 'FamilyChanged' }],
  ])('%s', (_what, before, now, expected) => {
    expect(
      confirmPlan({ kind: 'incremental', cursor: aCursor({ familyId: before! }) }, aSnapshot({ familyId: now! })),
    ).toEqual(
      expected.kind === 'incremental' ? { kind: 'incremental', cursor: aCursor({ familyId: before! }) } : expected,
    )
  })

  test('a family that is not told is no cause: the diff itself will tell', () => {
    const { familyId: _none, ...snapshot } = aSnapshot()
    expect(confirmPlan(plan, snapshot)).toEqual(plan)
  })

  test('a disk that grew across 4 TiB since it was planned is reseeded', () => {
    expect(confirmPlan(plan, aSnapshot({ sizeBytes: 5000 * GIB }))).toEqual({
      kind: 'reseed',
      cause: 'SizeCrossed4TiB',
    })
  })

  test.each<BackupPlan>([{ kind: 'full' }, { kind: 'reseed', cause: 'CursorSnapshotGone' }])(
    'a plan of kind $kind is left alone',
    (other) => {
      expect(confirmPlan(other, aSnapshot({ familyId: 'family-2', sizeBytes: 5000 * GIB }))).toBe(other)
    },
  )
})

describe('the effective cursor', () => {
  test.each<[string, BaseBlobState, boolean, string | undefined]>([
    ['clean: the cursor', aState(), false, 'snapshot-unique-1'],
    ['dirty and not sealed: still the old cursor', dirty, false, 'snapshot-unique-1'],
    ['dirty and sealed: what was pending', dirty, true, 'snapshot-unique-2'],
    ['clean: the cursor, whatever is said to be sealed', aState({ pending }), true, 'snapshot-unique-1'],
    ['never sealed: none', withoutCursor(), false, undefined],
  ])('%s', (_claim, state, isPendingSealed, expected) => {
    expect(effectiveCursor(state, isPendingSealed)?.snapshotUniqueId).toBe(expected)
  })
})

describe('whatever the facts', () => {
  const gib = fc.constantFrom(64, 65, 4094, 4095, 4096, 4097, 8191)
  const anyFacts: fc.Arbitrary<PlanFacts> = fc
    .record({
      diskGib: gib,
      cursorGib: gib,
      condition: fc.constantFrom('clean' as const, 'dirty' as const),
      hasCursor: fc.boolean(),
      hasPending: fc.boolean(),
      isPendingSealed: fc.boolean(),
      isLastPointPresent: fc.boolean(),
      foundUniqueId: fc.constantFrom('snapshot-unique-1', 'snapshot-unique-2', 'stranger', undefined),
    })
    .map((given) => {
      const sizeBytes = given.cursorGib * GIB
      const state: BaseBlobState = {
        ...withoutCursor(),
        condition: given.condition,
        ...(given.hasCursor && { cursor: aCursor({ sizeBytes }) }),
        ...(given.hasPending && given.condition === 'dirty' && { pending: { ...pending, sizeBytes } }),
      }
      return {
        disk: aDisk({ sizeBytes: given.diskGib * GIB }),
        base: aBase({
          sizeBytes: blobBytesOf(sizeBytes),
          state,
          isPendingSealed: given.isPendingSealed,
          isLastPointPresent: given.isLastPointPresent,
        }),
        ...(given.foundUniqueId !== undefined && { cursorSnapshot: aSnapshot({ uniqueId: given.foundUniqueId }) }),
      }
    })

  test('a disk with a base blob is never transferred in full without a cause that has words', () => {
    fc.assert(
      fc.property(anyFacts, (given) => {
        const plan = planBackup(given)
        expect(plan.kind).not.toBe('full')
        if (plan.kind === 'reseed') expect(RESEED_CAUSES[plan.cause]).toMatch(/\w+ \w+/)
        if (plan.kind === 'refuse') expect(plan.reason).not.toBe('')
      }),
    )
  })

  test('a diff is only read from the very snapshot that the base blob was last brought to', () => {
    fc.assert(
      fc.property(anyFacts, (given) => {
        const plan = planBackup(given)
        if (plan.kind !== 'incremental') return
        expect(plan.cursor).toEqual(effectiveCursor(given.base!.state, given.base!.isPendingSealed))
        expect(given.cursorSnapshot?.uniqueId).toBe(plan.cursor.snapshotUniqueId)
        expect(given.base!.isLastPointPresent).toBe(true)
      }),
    )
  })
})
