/**
 * The page blob in the target that holds the state of a chain: the first stripe of its base blob, or all of it.
 *
 * Who raises its epoch holds the chain, so it is the lock as well.
 */
import { decodeBaseBlobState, encodeBaseBlobState, type BaseBlobState } from '../domain/base-blob-state.ts'
import { FencedBlob, foreignBlob, type FencedBlobProps } from './fenced-blob.ts'

export interface BaseBlobProps extends FencedBlobProps {
  /** undefined: the metadata is not snapferry's. */
  readonly state: BaseBlobState | undefined
}

export class BaseBlob extends FencedBlob {
  /**
   * @returns undefined where there is no such blob.
   * @throws BackupError BaseBlobForeign | FormatNotSupported | TargetNotFound
   */
  override async properties(signal?: AbortSignal): Promise<BaseBlobProps | undefined> {
    const found = await super.properties(signal)
    return found === undefined ? undefined : { ...found, state: decodeBaseBlobState(this.name, found.metadata) }
  }

  /**
   * Makes the blob with its state, in one call. Its epochs begin at the present millisecond, so that a late write that
   * was meant for a deleted namesake is refused as well; `minEpoch` is higher where other stripes have seen higher ones.
   * A base blob of the same disk that is there already is left as it is: its size and state are to be read.
   * @throws BackupError BaseBlobForeign
   */
  async create(sizeBytes: number, state: BaseBlobState, signal?: AbortSignal, minEpoch = 0): Promise<void> {
    const epoch = Math.max(Date.now(), minEpoch)
    if (await this.createBlob({ sizeBytes, epoch, metadata: encodeBaseBlobState(state) }, signal)) return
    const found = await this.properties(signal)
    if (found?.state?.diskUniqueId !== state.diskUniqueId) throw foreignBlob(this.name, 'it is not of this disk')
  }

  /**
   * Changes nothing but the ETag: whoever has raised the epoch that was found, and has not marked the blob yet, is refused his
   * mark. So the caller may take that epoch for its own.
   * @throws BackupError FencedOut where he has marked it, or raised it again.
   */
  async claim({ metadata, etag }: FencedBlobProps, signal?: AbortSignal): Promise<void> {
    await this.setMetadata(metadata, etag, 'claim', signal)
  }

  /** Replaces the state. @throws BackupError FencedOut */
  async setState(state: BaseBlobState, etag: string, signal?: AbortSignal): Promise<{ etag: string }> {
    return this.setMetadata(encodeBaseBlobState(state), etag, `mark as ${state.condition}`, signal)
  }
}
