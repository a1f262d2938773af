/** NODE_EXTRA_CA_CERTS takes one file only: this makes one of several. */
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'

/** Writes the given authority, beside those that the environment names already, to the file `combined`. */
export async function combineCertificates(caFile, combined) {
  const files = [process.env.NODE_EXTRA_CA_CERTS, caFile].filter((file) => file !== undefined && existsSync(file))
  const certificates = await Promise.all(files.map((file) => readFile(file, 'utf8')))
  await writeFile(combined, certificates.join('\n'))
}
