/** The steps of a clean-up: what cannot be done for good is told and keeps nothing else from being done. */
import { isFailure } from '../domain/failures.ts'

export type TryStep = (step: () => Promise<void>) => Promise<void>

/** They are part of a result, and what may not be deleted is met again by every run. */
const SHOWN = 20

/** A step that may succeed later is thrown: then all are done again. */
export function trySteps(): { readonly tryStep: TryStep; readonly warnings: () => string[] } {
  const warnings: string[] = []
  return {
    async tryStep(step) {
      try {
        await step()
      } catch (error) {
        if (!isFailure(error) || error.retry === 'later') throw error
        warnings.push(error.message)
      }
    },
    warnings() {
      const more = warnings.length - SHOWN
      return more <= 0 ? warnings : [...warnings.slice(0, SHOWN), `${more} more like these`]
    },
  }
}
