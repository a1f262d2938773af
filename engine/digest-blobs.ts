/** Where the digest table of a chain lies, and how a run takes it over. */
import { DigestBlob, type TableStage } from '../azure/digest-blob.ts'
import { isFailure } from '../domain/failures.ts'
import { digestTableName } from '../domain/names.ts'
import type { TransferJob } from '../domain/transfer-job.ts'
import type { Engine } from './engine.ts'

export function digestBlobOf(engine: Engine, job: Pick<TransferJob, 'targetUrl' | 'baseBlobName'>): DigestBlob {
  return new DigestBlob(engine.azure, job.targetUrl, digestTableName(job.baseBlobName))
}

/** As `DigestBlob.raise`, also where there is no table yet. */
export async function raiseOrCreate(table: DigestBlob, epoch: number, stage: TableStage, signal?: AbortSignal): Promise<boolean> {
  try {
    return await table.raise(epoch, stage, signal)
  } catch (error) {
    if (!isFailure(error, 'TargetNotFound')) throw error
    await table.create(signal)
    return table.raise(epoch, stage, signal)
  }
}
