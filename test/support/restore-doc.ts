/** docs/restore.md as data: the rights that it says a restorer needs, so that tests can give exactly those. */
import { readFileSync } from 'node:fs'

const TEXT = readFileSync(new URL('../../docs/restore.md', import.meta.url), 'utf8')

/** The actions of one row of its table of rights, written out. */
export function rightsFor(purpose: string): string[] {
  const row = TEXT.split('\n').find((line) => line.startsWith(`| ${purpose} |`))
  if (row === undefined) throw new Error(`docs/restore.md lists no rights for ${purpose}`)
  const rights: string[] = []
  // `Microsoft.Compute/disks/` `read`, `write`: what follows a prefix begins with it.
  let prefix = ''
  for (const [, text = ''] of (row.split('|')[2] ?? '').matchAll(/`([^`]+)`/g)) {
    const right = text.replace(/^…\//, text.startsWith('…/containers') ? `${BLOB_SERVICES}/` : `${BLOB_SERVICES}/containers/`)
    const whole = right.startsWith('Microsoft.') ? right : prefix + right
    if (right.startsWith('Microsoft.')) prefix = right.slice(0, right.lastIndexOf('/') + 1)
    if (!whole.endsWith('/')) rights.push(whole)
  }
  return rights
}

const BLOB_SERVICES = 'Microsoft.Storage/storageAccounts/blobServices'
