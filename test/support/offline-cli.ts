/** The command line in this process, with Temporal's address leading nowhere: whatever needs Temporal fails. */
import { runCli, type CliResult } from '../client/support/cli.ts'
import type { Scene } from './scene.ts'

export function offlineCli(scene: Scene): (...argv: string[]) => Promise<CliResult> {
  return (...argv) =>
    runCli(argv, {
      TEMPORAL_ADDRESS: '127.0.0.1:1',
      SNAPFERRY_RESOURCE_MANAGER_ENDPOINT: scene.azure.resourceManagerEndpoint,
      SNAPFERRY_RESOURCE_MANAGER_AUDIENCE: scene.azure.resourceManagerAudience,
    })
}

/** A seam around every request to the storage service, for tests that break something in the middle. */
export function createFaults() {
  let before: ((operation: string) => Promise<void> | void) | undefined
  return {
    hooks: { before: (call: { readonly operation: string }) => before?.(call.operation) },
    /** Calls `act` once, before the request of that operation that follows `count` of them. */
    afterRequests(operation: string, count: number, act: () => Promise<void> | void): void {
      let seen = 0
      before = async (name) => {
        if (name !== operation) return
        seen += 1
        if (seen === count + 1) await act()
      }
    },
    clear(): void {
      before = undefined
    },
  }
}
