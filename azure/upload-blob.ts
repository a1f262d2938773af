/**
 * The blob behind a disk that waits for its content, written by the SAS of its upload.
 *
 * No access conditions, no Content-MD5 and no checksum: the service refuses the first two on uploads (AzCopy,
 * `sender-pageBlob.go`), and of the third nothing is known. A disk is fenced by its own state instead: it is written by
 * one restore and never again.
 */
import type { ByteRange } from '../domain/byte-range.ts'
import { redact } from '../domain/failures.ts'
import { callStorage, PATIENT } from './call.ts'
import type { AzureClients } from './clients.ts'
import { downloadRange } from './download.ts'
import { clearPages, copyPages, writePages, type CopyOptions, type Reach } from './page-writes.ts'
import { LOST_ACCESS } from './source-blob.ts'

export class UploadBlob {
  readonly #azure: AzureClients
  readonly #sasUrl: () => string

  /** `sasUrl` is asked for every request, so that a renewed SAS is used from then on. */
  constructor(azure: AzureClients, sasUrl: () => string) {
    this.#azure = azure
    this.#sasUrl = sasUrl
  }

  /**
   * Put Page From URL; at most 4 MiB.
   * @throws BackupError ServerSideCopyRefused | ExportAccessLost
   */
  async copyFrom(sourceUrl: string, range: ByteRange, options: CopyOptions = {}): Promise<void> {
    const url = this.#sasUrl()
    await copyPages(this.#azure, this.#reach(url), redact(url), sourceUrl, range, { ...options, when: LOST_ACCESS })
  }

  /** Put Page; at most 4 MiB. @throws BackupError ExportAccessLost */
  async write(offsetBytes: number, data: Buffer, signal?: AbortSignal): Promise<void> {
    const url = this.#sasUrl()
    await writePages(this.#reach(url), redact(url), offsetBytes, data, { signal, when: LOST_ACCESS, isChecked: false })
  }

  /** One request however long the range is. @throws BackupError ExportAccessLost */
  async clear(range: ByteRange, signal?: AbortSignal): Promise<void> {
    const url = this.#sasUrl()
    await clearPages(this.#reach(url), redact(url), range, { signal, when: LOST_ACCESS })
  }

  /** @throws BackupError ExportAccessLost, also where the SAS lets write but not read. */
  async read(range: ByteRange, signal?: AbortSignal): Promise<Buffer> {
    const url = this.#sasUrl()
    const call = {
      doing: `read [${range.startBytes}, ${range.endBytes}) of`,
      on: redact(url),
      when: LOST_ACCESS,
      retry: PATIENT,
      signal,
    }
    const reach = this.#reach(url)
    return callStorage(call, (attempt) => reach((client) => downloadRange(client, range, attempt, call.on)))
  }

  #reach(url: string): Reach {
    const { diskData, sasBlob } = this.#azure
    return (send) => diskData.use(url, (auth) => send(sasBlob(url, auth)))
  }
}
