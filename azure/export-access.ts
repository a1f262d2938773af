/**
 * The SAS URLs of one worker process. They live here, in memory, and nowhere else: not in history, not in logs.
 *
 * All activities of a process share one grant for a resource, because a family has only five. Another process that
 * needs the same resource gets a grant of its own, or the same SAS; which of the two Azure does is not documented, and
 * does not matter here.
 */
import type { AzureClients } from './clients.ts'
import { grantAccess, LONGEST_GRANT_SECONDS, revokeAccess, type Access } from './access-grants.ts'
import { settled, unlessAborted } from './abort.ts'

interface Grant {
  readonly url: Promise<string>
  /** Set when the grant is there. */
  goodUntilMs: number
}

export interface ExportAccessOptions {
  /** Default 6 hours; at most 60 days. */
  readonly durationSeconds?: number
}

const DEFAULT_DURATION_SECONDS = 6 * 3600
/** A URL that is handed out is good for at least so long. */
const MARGIN_MS = 10 * 60_000

export class ExportAccess {
  readonly #azure: AzureClients
  readonly #durationSeconds: number
  readonly #grants = new Map<string, Grant>()

  constructor(azure: AzureClients, { durationSeconds = DEFAULT_DURATION_SECONDS }: ExportAccessOptions = {}) {
    this.#azure = azure
    this.#durationSeconds = Math.min(durationSeconds, LONGEST_GRANT_SECONDS)
  }

  /** The SAS URL of a snapshot's content. @throws BackupError SnapshotAccessBusy | SourceSnapshotNotFound | … */
  read(snapshotId: string, signal?: AbortSignal): Promise<string> {
    return this.#get(snapshotId, 'Read', signal)
  }

  /** The SAS URL by which a disk that waits for its content is written. */
  write(diskId: string, signal?: AbortSignal): Promise<string> {
    return this.#get(diskId, 'Write', signal)
  }

  /** For a URL that was refused: gets a new one. Callers that come with the same stale URL share it. */
  async renew(resourceId: string, staleUrl: string, signal?: AbortSignal): Promise<string> {
    const cached = this.#grants.get(keyOf(resourceId))
    const isStale = cached !== undefined && (await unlessAborted(settled(cached.url), signal)) === staleUrl
    if (isStale) this.#forget(resourceId, cached)
    return this.#get(resourceId, /\/disks\/[^/]*$/i.test(resourceId.trim()) ? 'Write' : 'Read', signal)
  }

  /**
   * Ends all access to the resource, also what another process was granted. Twice is fine, and so is a missing
   * resource.
   */
  async revoke(resourceId: string, signal?: AbortSignal): Promise<void> {
    const cached = this.#grants.get(keyOf(resourceId))
    if (cached !== undefined) {
      this.#forget(resourceId, cached)
      // A grant that is still under way would outlive its own revocation.
      await unlessAborted(settled(cached.url), signal)
    }
    await revokeAccess(this.#azure, resourceId, signal)
  }

  async #get(resourceId: string, access: Access, signal: AbortSignal | undefined): Promise<string> {
    // Work that was cancelled must not grant anew: the run's release may have revoked everything already.
    signal?.throwIfAborted()
    const cached = this.#grants.get(keyOf(resourceId))
    if (cached !== undefined && cached.goodUntilMs > Date.now()) return unlessAborted(cached.url, signal)
    return unlessAborted(this.#grant(resourceId, access).url, signal)
  }

  /** Not bound to the signal of one caller: others wait for the same grant. */
  #grant(resourceId: string, access: Access): Grant {
    const startedAtMs = Date.now()
    const grant: Grant = {
      url: grantAccess(this.#azure, resourceId, access, this.#durationSeconds),
      goodUntilMs: Infinity,
    }
    this.#grants.set(keyOf(resourceId), grant)
    const lifetimeMs = this.#durationSeconds * 1000
    grant.url.then(
      () => {
        grant.goodUntilMs = startedAtMs + lifetimeMs - Math.min(MARGIN_MS, lifetimeMs / 2)
      },
      () => this.#forget(resourceId, grant),
    )
    return grant
  }

  #forget(resourceId: string, grant: Grant): void {
    if (this.#grants.get(keyOf(resourceId)) === grant) this.#grants.delete(keyOf(resourceId))
  }
}

function keyOf(resourceId: string): string {
  return resourceId.trim().toLowerCase()
}
