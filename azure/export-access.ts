/**
 * The SAS URLs of one worker process. They live here, in memory, and nowhere else: not in history, not in logs.
 *
 * All activities of a process share one grant for a resource, because a family has only five. What Azure does when another
 * worker asks for the same snapshot is not documented, and either way comes out right:
 *  - both get the same SAS: they share it;
 *  - the second ends the first: the first notices, and leaves the field to the second;
 *  - the second is refused: it leaves the field to the first.
 * Who leaves the field waits, by retries of its activity, which the other worker may take over; one blob is no faster by two
 * workers. A SAS that is still in the way after `patienceMs` was left by a dead worker and is revoked.
 */
import { BLOB_BYTES_PER_SECOND } from '../domain/blob-budget.ts'
import { isFailure } from '../domain/failures.ts'
import type { AzureClients } from './clients.ts'
import { grantAccess, LONGEST_GRANT_SECONDS, requireNoSas, revokeAccess, type Access } from './access-grants.ts'
import { settled, unlessAborted } from './abort.ts'
import { GrantPatience } from './grant-patience.ts'
import { sizeOfSource } from './source-blob.ts'

interface Grant {
  readonly access: Access
  readonly url: Promise<string>
  /** Set when the grant is there. */
  goodUntilMs: number
}

interface Refusal {
  readonly url: string
  readonly why: string
}

/**
 * Who asks for a SAS: someone new, who leaves what another worker may have; the holder of one that is about to end, who is in
 * nobody's way; or who was refused by the one it has, which is dead for whoever else has it.
 */
type Asker = 'newcomer' | 'holder' | 'refused'

export interface ExportAccessOptions {
  /** Of a grant for no known work; default 6 hours. */
  readonly durationSeconds?: number
  /** How long a SAS that another worker may have is respected; default one minute. */
  readonly patienceMs?: number
}

const DEFAULT_DURATION_SECONDS = 6 * 3600
const DEFAULT_PATIENCE_MS = 60_000
/** An export is read by one blob's rate at the slowest; throttling, verification and repair may triple that. */
const SLACK = 3
/** A URL that is handed out is good for at least so long. */
const MARGIN_MS = 10 * 60_000

export class ExportAccess {
  readonly #azure: AzureClients
  readonly #durationSeconds: number
  readonly #patience: GrantPatience
  readonly #grants = new Map<string, Grant>()
  /** What the storage service last refused of a resource. */
  readonly #refused = new Map<string, Refusal>()
  /** The longest that was asked for a resource: a grant that follows is for the same work. */
  readonly #durations = new Map<string, number>()

  constructor(azure: AzureClients, options: ExportAccessOptions = {}) {
    this.#azure = azure
    this.#durationSeconds = options.durationSeconds ?? DEFAULT_DURATION_SECONDS
    this.#patience = new GrantPatience(options.patienceMs ?? DEFAULT_PATIENCE_MS)
  }

  /**
   * The SAS URL of the content of a snapshot, or of a disk that nothing is attached to.
   *
   * @param exportBytes what there is to read: the grant lasts as long as that may take.
   * @throws BackupError SnapshotAccessBusy | SourceSnapshotNotFound | …
   */
  read(resourceId: string, signal?: AbortSignal, exportBytes = 0): Promise<string> {
    const seconds = this.#durationSeconds + (SLACK * exportBytes) / BLOB_BYTES_PER_SECOND
    const known = this.#durations.get(keyOf(resourceId)) ?? 0
    this.#durations.set(keyOf(resourceId), Math.max(known, Math.ceil(seconds)))
    return this.#get(resourceId, 'Read', signal)
  }

  /**
   * Both SAS that a diff needs, or none: runs that hold one of the family's five and wait for another would wait for each
   * other for ever.
   */
  async readBoth(
    snapshotId: string,
    previousId: string,
    signal?: AbortSignal,
    exportBytes = 0,
  ): Promise<{ readonly url: string; readonly previousUrl: string }> {
    const isNew = !this.#grants.has(keyOf(snapshotId))
    const url = await this.read(snapshotId, signal, exportBytes)
    try {
      return { url, previousUrl: await this.read(previousId, signal, exportBytes) }
    } catch (error) {
      if (isNew && isFailure(error, 'SnapshotAccessBusy')) await this.revoke(snapshotId, signal)
      throw error
    }
  }

  /** The SAS URL by which a disk that waits for its content is written. */
  write(diskId: string, signal?: AbortSignal): Promise<string> {
    return this.#get(diskId, 'Write', signal)
  }

  /** For a URL that was refused: gets a new one. Callers that come with the same stale URL share it. */
  async renew(resourceId: string, staleUrl: string, signal?: AbortSignal): Promise<string> {
    const cached = this.#grants.get(keyOf(resourceId))
    const access = cached?.access ?? defaultAccess(resourceId)
    const isStale = cached !== undefined && (await unlessAborted(settled(cached.url), signal)) === staleUrl
    if (!isStale || this.#grants.get(keyOf(resourceId)) !== cached) return this.#get(resourceId, access, signal)
    this.#forget(resourceId, cached)
    const stale = { url: staleUrl, goodUntilMs: cached.goodUntilMs }
    return unlessAborted(this.#grant(resourceId, access, () => this.#replacement(resourceId, access, staleUrl), stale).url, signal)
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
    this.#durations.delete(keyOf(resourceId))
    this.#patience.forget(keyOf(resourceId))
    this.#refused.delete(keyOf(resourceId))
    await revokeAccess(this.#azure, resourceId, signal)
  }

  async #get(resourceId: string, access: Access, signal: AbortSignal | undefined): Promise<string> {
    // Work that was cancelled must not grant anew: the run's release may have revoked everything already.
    signal?.throwIfAborted()
    const cached = this.#grants.get(keyOf(resourceId))
    if (cached?.access === access && cached.goodUntilMs > Date.now()) return unlessAborted(cached.url, signal)
    const asker = cached?.access === access ? 'holder' : 'newcomer'
    return unlessAborted(this.#grant(resourceId, access, () => this.#ask(resourceId, access, asker)).url, signal)
  }

  /** After a SAS of ours was refused: where the snapshot has one all the same, it is another worker's. */
  async #replacement(resourceId: string, access: Access, staleUrl: string): Promise<string> {
    if (access === 'Write') return this.#anotherToWrite(resourceId, staleUrl)
    const why = await refusalOf(this.#azure, staleUrl)
    // Of several SAS that are renewed together one alone may have died.
    if (why === undefined) return staleUrl
    const key = keyOf(resourceId)
    this.#refused.set(key, { url: staleUrl, why })
    if (!this.#patience.isOver(key)) {
      await this.#patience.during(key, () => requireNoSas(this.#azure, resourceId, why))
    }
    return this.#ask(resourceId, access, 'refused')
  }

  /** Where a second one is refused, the first may be good still, and nobody could get it back: to revoke it would end the upload. */
  async #anotherToWrite(diskId: string, staleUrl: string): Promise<string> {
    try {
      return await this.#ask(diskId, 'Write', 'newcomer')
    } catch (error) {
      if (isFailure(error, 'SnapshotAccessBusy')) return staleUrl
      throw error
    }
  }

  #ask(resourceId: string, access: Access, asker: Asker): Promise<string> {
    const key = keyOf(resourceId)
    const durationSeconds = this.#durationOf(resourceId)
    const takesOver = asker === 'holder' || this.#patience.isOver(key)
    const grant = (): Promise<string> => grantAccess(this.#azure, resourceId, { access, durationSeconds, takesOver })
    return this.#patience.during(key, async () => {
      const url = await grant()
      const refused = this.#refused.get(key)
      if (url !== refused?.url) return url
      // No grant makes a new one while the refused one stands.
      if (asker === 'newcomer' && !takesOver) await requireNoSas(this.#azure, resourceId, refused.why)
      await revokeAccess(this.#azure, resourceId)
      return grant()
    })
  }

  #durationOf(resourceId: string): number {
    return Math.min(this.#durations.get(keyOf(resourceId)) ?? this.#durationSeconds, LONGEST_GRANT_SECONDS)
  }

  /**
   * Not bound to the signal of one caller: others wait for the same grant.
   *
   * @param stale what is asked to be replaced: where it is found to be good still, it does not last longer for that.
   */
  #grant(resourceId: string, access: Access, ask: () => Promise<string>, stale?: { readonly url: string; readonly goodUntilMs: number }): Grant {
    const startedAtMs = Date.now()
    const lifetimeMs = this.#durationOf(resourceId) * 1000
    const grant: Grant = { access, url: ask(), goodUntilMs: Infinity }
    this.#grants.set(keyOf(resourceId), grant)
    grant.url.then(
      (url) => {
        grant.goodUntilMs = url === stale?.url ? stale.goodUntilMs : startedAtMs + lifetimeMs - Math.min(MARGIN_MS, lifetimeMs / 2)
      },
      () => this.#forget(resourceId, grant),
    )
    return grant
  }

  #forget(resourceId: string, grant: Grant): void {
    if (this.#grants.get(keyOf(resourceId)) === grant) this.#grants.delete(keyOf(resourceId))
  }
}

/** Of a resource that this process knows no grant of: disks are mostly written. */
function defaultAccess(resourceId: string): Access {
  return /\/disks\/[^/]*$/i.test(resourceId.trim()) ? 'Write' : 'Read'
}

/** @returns what the storage service says; undefined: the SAS is good. */
async function refusalOf(azure: AzureClients, sasUrl: string): Promise<string | undefined> {
  try {
    await sizeOfSource(azure, sasUrl)
    return undefined
  } catch (error) {
    if (isFailure(error, 'ExportAccessLost', 'AccessDenied')) return error.message
    throw error
  }
}

function keyOf(resourceId: string): string {
  return resourceId.trim().toLowerCase()
}
