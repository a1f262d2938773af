import { expect, test } from '@jest/globals'
import { VHD_FOOTER_BYTES } from '../../domain/source-disk.ts'
import { hasVhdCookie } from '../../domain/vhd-footer.ts'

function footerOf(text: string, offsetBytes = 0): Uint8Array {
  const footer = Buffer.alloc(VHD_FOOTER_BYTES)
  footer.write(text, offsetBytes, 'latin1')
  return footer
}

test.each<[string, Uint8Array, boolean]>([
  ['a footer', footerOf('conectix'), true],
  ['zeros', footerOf(''), false],
  ['a footer that was written at a wrong offset', footerOf('conectix', 1), false],
  ['half a cookie', footerOf('conect'), false],
  ['another case', footerOf('Conectix'), false],
  ['nothing', new Uint8Array(0), false],
  ['the header of a VHDX', footerOf('vhdxfile'), false],
])('%s', (_what, footer, expected) => {
  expect(hasVhdCookie(footer)).toBe(expected)
})
