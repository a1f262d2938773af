import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { createAuthority, type KeyedCertificate } from './certificates.ts'

/**
 * A certificate authority kept in a directory, so that it can be made before the server and its clients start:
 * NODE_EXTRA_CA_CERTS is read once, at the start of a process.
 */

export interface StoredAuthority extends KeyedCertificate {
  /** Absolute path of the certificate that clients are to trust. */
  readonly certificateFile: string
}

const CERTIFICATE_FILE = 'ca.pem'
const KEY_FILE = 'ca-key.pem'

function authorityCertificateFile(directory: string): string {
  return resolve(directory, CERTIFICATE_FILE)
}

/** The authority kept in `directory`; makes directory and authority when they are not there. Twice gives the same. */
export async function ensureAuthority(directory: string): Promise<StoredAuthority> {
  const certificateFile = authorityCertificateFile(directory)
  const keyFile = join(directory, KEY_FILE)
  const stored = await readPair(certificateFile, keyFile)
  if (stored !== undefined) return { ...stored, certificateFile }

  const made = await createAuthority()
  await mkdir(directory, { recursive: true })
  await writeWhole(keyFile, made.privateKeyPem, 0o600)
  await writeWhole(certificateFile, made.certificatePem, 0o644)
  return { ...made, certificateFile }
}

async function readPair(certificateFile: string, keyFile: string): Promise<KeyedCertificate | undefined> {
  try {
    const certificatePem = await readFile(certificateFile, 'utf8')
    const privateKeyPem = await readFile(keyFile, 'utf8')
    return { certificatePem, privateKeyPem }
  } catch (error) {
    if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

/** A reader never sees half a file: it is written aside and renamed. */
async function writeWhole(file: string, text: string, mode: number): Promise<void> {
  const aside = `${file}.${process.pid}`
  await writeFile(aside, text, { mode })
  await rename(aside, file)
}
