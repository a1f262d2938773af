import { expect, test } from '@jest/globals'
import { parsePageList } from '../../azure/page-list-xml.ts'

const PROLOG = '<?xml version="1.0" encoding="utf-8"?>'
const COPY = { kind: 'copy', startBytes: 0, endBytes: 512 }
const CLEAR = { kind: 'clear', startBytes: 1024, endBytes: 2048 }
const plain = (name: string, start: number, end: number): string => `<${name}><Start>${start}</Start><End>${end}</End></${name}>`
const spaced = (name: string, start: number, end: number): string => `\n <${name}>\n  <Start> ${start} </Start>\n  <End>${end}</End>\n </${name}>\n`
const prefixed = (name: string, start: number, end: number): string => `<a:${name}><a:Start>${start}</a:Start><a:End>${end}</a:End></a:${name}>`
const attributed = (name: string, start: number, end: number): string => `<${name} b="c"><Start>${start}</Start><End>${end}</End></${name}>`
const commented = (name: string, start: number, end: number): string => `<!-- ${plain('PageRange', 4096, 8191)} -->${plain(name, start, end)}`

test.each([
  ['as servers write it', plain],
  ['with white space', spaced],
  ['with a prefix', prefixed],
  ['with attributes', attributed],
  ['beside comments', commented],
])('a list %s is read, in the order of addresses', (_, range) => {
  const body = `${PROLOG}<PageList>${range('ClearRange', 1024, 2047)}${range('PageRange', 0, 511)}<NextMarker>m</NextMarker></PageList>`
  expect(parsePageList(body, 'blob')).toEqual({ changes: [COPY, CLEAR], nextMarker: 'm' })
})

test('forms may be mixed, and none of them is lost', () => {
  const body = `${PROLOG}<PageList>${plain('PageRange', 0, 511)}${spaced('ClearRange', 1024, 2047)}${attributed('PageRange', 4096, 4607)}</PageList>`
  const { changes } = parsePageList(body, 'blob')
  expect(changes).toEqual([COPY, CLEAR, { kind: 'copy', startBytes: 4096, endBytes: 4608 }])
})

test.each([
  ['is cut off within a range', `${PROLOG}<PageList>${plain('PageRange', 0, 511)}<PageRange><Start>1024</Sta`],
  ['is cut off behind a range', `${PROLOG}<PageList>${plain('PageRange', 0, 511)}`],
  ['is not a page list', `${PROLOG}<Error>${plain('PageRange', 0, 511)}</Error>`],
  ['holds half a page', `${PROLOG}<PageList>${plain('PageRange', 0, 255)}</PageList>`],
  ['holds a range without an end', `${PROLOG}<PageList><PageRange><Start>0</Start></PageRange></PageList>`],
  ['holds ranges that overlap', `${PROLOG}<PageList>${plain('PageRange', 0, 1023)}${plain('ClearRange', 512, 2047)}</PageList>`],
])('a body that %s is refused', (_, body) => {
  expect(() => parsePageList(body, 'blob')).toThrow('the page list of blob cannot be used')
})
