/** Errors of the operator's own file system as failures of the catalogue. */
import { BackupError, type FailureType } from '../domain/failures.ts'

interface Meaning {
  readonly type: FailureType
  readonly why: string
}

const MEANINGS: Readonly<Record<string, Meaning>> = {
  ENOSPC: { type: 'LocalDiskFull', why: 'its file system is full; free space there and run the same command again, it goes on where it stopped' },
  EDQUOT: { type: 'LocalDiskFull', why: 'the quota of its file system is used up; raise it and run the same command again, it goes on where it stopped' },
  EFBIG: { type: 'LocalFileFailed', why: 'its file system takes no file so large (FAT takes 4 GiB); choose another one' },
  EEXIST: { type: 'FileExists', why: 'it exists already and is not overwritten; name another file' },
  ENOENT: { type: 'LocalFileFailed', why: 'its folder is not there; make it first' },
  ENOTDIR: { type: 'LocalFileFailed', why: 'its folder is a file' },
  EISDIR: { type: 'LocalFileFailed', why: 'it is a folder; name a file in it' },
  EACCES: { type: 'LocalFileFailed', why: 'this user may not write there' },
  EPERM: { type: 'LocalFileFailed', why: 'this user may not write there' },
  EROFS: { type: 'LocalFileFailed', why: 'its file system is read-only' },
}

/** Passes on what is a failure of the catalogue already. */
export function asLocalFailure(error: unknown, path: string): BackupError {
  if (error instanceof BackupError) return error
  const code = codeOf(error) ?? ''
  const text = error instanceof Error ? error.message : String(error)
  const { type, why } = MEANINGS[code] ?? { type: 'LocalFileFailed', why: text }
  return new BackupError({ type, message: `file ${path} cannot be written: ${why}`, facts: { path, code }, cause: error })
}

/** `ENOENT` and its like, told by shape; undefined for errors of another kind. */
export function codeOf(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : undefined
}
