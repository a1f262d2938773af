import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import {
  BASE_BLOB_FORMAT,
  decodeBaseBlobState,
  encodeBaseBlobState,
  type BaseBlobState,
} from '../../domain/base-blob-state.ts'
import { isFailure } from '../../domain/failures.ts'
import { aCursor, DISK_ID } from './support/builders.ts'

const full: BaseBlobState = {
  diskId: DISK_ID,
  diskUniqueId: 'disk-unique-1',
  condition: 'dirty',
  runKey: '20260301T020000Z-0123456789ab',
  cursor: aCursor(),
  pending: aCursor({ snapshotUniqueId: 'snapshot-unique-2' }),
  lastPoint: { pointId: '20260228T020000Z-ab0123456789', blobSnapshot: '2026-02-28T02:07:29.1234567Z' },
}
const bare: BaseBlobState = { diskId: DISK_ID, diskUniqueId: 'disk-unique-1', condition: 'clean', runKey: 'run-1' }

/** Metadata of this format with a state that is written by hand. */
const handWritten = (state: string) => ({ ...encodeBaseBlobState(full), snapferrystate: state })

function failureOf(metadata: Record<string, string>): string {
  try {
    decodeBaseBlobState('base.vhd', metadata)
  } catch (error) {
    return isFailure(error) ? error.type : String(error)
  }
  return 'none'
}

describe('what was written is read again', () => {
  const { familyId: _none, ...familyless } = aCursor()

  test.each<[string, BaseBlobState]>([
    ['with everything', full],
    ['with nothing optional', bare],
    ['with a cursor of no family', { ...bare, cursor: familyless }],
    ['of a resource group with umlauts', { ...full, diskId: DISK_ID.replace('Vaults', 'Größe-東京-🗄') }],
    ['with a quote and a backslash', { ...full, diskId: DISK_ID.replace('Vaults', 'a"b\\c') }],
  ])('%s', (_what, state) => {
    expect(decodeBaseBlobState('base.vhd', encodeBaseBlobState(state))).toEqual(state)
  })

  test('of any text, and only printable ASCII travels in headers', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), (diskId, runKey) => {
        const metadata = encodeBaseBlobState({ ...full, diskId, runKey })
        for (const [key, value] of Object.entries(metadata)) {
          expect(key).toMatch(/^[a-z]+$/)
          expect(value).toMatch(/^[\x20-\x7e]*$/)
        }
        expect(decodeBaseBlobState('base.vhd', metadata)).toEqual({ ...full, diskId, runKey })
      }),
    )
  })

  test('though a proxy changed the case of its keys', () => {
    const metadata = Object.fromEntries(
      Object.entries(encodeBaseBlobState(full)).map(([key, value]) => [key.toUpperCase(), value]),
    )
    expect(decodeBaseBlobState('base.vhd', metadata)).toEqual(full)
  })

  test('beside keys and fields that are not known', () => {
    const metadata = { ...handWritten(JSON.stringify({ ...full, addedLater: true })), owner: 'someone' }
    expect(decodeBaseBlobState('base.vhd', metadata)).toEqual(full)
  })
})

test.each([{}, { owner: 'someone' }, { snapferrystate: '{}' }])(
  'metadata without a format is not ours: %j',
  (metadata) => {
    expect(decodeBaseBlobState('base.vhd', metadata)).toBeUndefined()
  },
)

test.each([String(BASE_BLOB_FORMAT + 1), '12', 'two'])('format %s is refused, not guessed at', (format) => {
  expect(failureOf({ ...encodeBaseBlobState(full), snapferryformat: format })).toBe('FormatNotSupported')
})

test.each<[string, Record<string, string>]>([
  ['no state', { snapferryformat: '1' }],
  ['an empty state', handWritten('')],
  ['half a state', handWritten(JSON.stringify(full).slice(0, 80))],
  ['JSON that is no state', handWritten('null')],
  ['a state without its disk', handWritten('{"condition":"clean","runKey":"run-1"}')],
  ['a condition that does not exist', handWritten(JSON.stringify({ ...full, condition: 'grimy' }))],
  ['a cursor without an id', handWritten(JSON.stringify({ ...full, cursor: { sizeBytes: 1 } }))],
])('%s is damage, never a cursor to build on', (_what, metadata) => {
  expect(failureOf(metadata)).toBe('BaseBlobForeign')
})
