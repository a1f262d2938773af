/** Told of each recovery point, when it is sealed. May be told twice of one. */
import type { AnyPoint } from '../domain/recovery-point.ts'

export type SealedHook = (targetUrl: string, point: Pick<AnyPoint, 'diskId' | 'takenAt'>) => void
