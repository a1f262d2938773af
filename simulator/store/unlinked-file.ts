import { mkdtemp, open, rm, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'

/** A file without a name in the directory: it vanishes with the process, however that ends. */
export async function openUnlinked(directory: string): Promise<FileHandle> {
  const temporary = await mkdtemp(join(directory, 'local-azure-'))
  const handle = await open(join(temporary, 'pages.data'), 'w+')
  await rm(temporary, { recursive: true })
  return handle
}
