/** `npm run mutants` applies the mutants; here they are only held against the code, which moves on. */
import { readFile } from 'node:fs/promises'
import { expect, test } from '@jest/globals'
import { MUTANTS } from './mutants.mjs'

test.each(MUTANTS)('$name: what it changes stands once in the code', async ({ file, find }) => {
  const text = await readFile(file, 'utf8')
  expect(text.split(find)).toHaveLength(2)
})
