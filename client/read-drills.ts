/** Reads what `drill list` shows: the results in the target, and the policies of the file that drill there. */
import type { AzureSettings } from '../azure/settings.ts'
import type { PolicySpec } from '../config/policy-file.ts'
import { sameArmId } from '../domain/arm-id.ts'
import type { DrillResult } from '../domain/drill-result.ts'
import type { DrillingPolicy } from './drill-list.ts'

export async function readDrills(
  settings: AzureSettings,
  specs: readonly PolicySpec[],
  targetUrl: string,
): Promise<{ results: DrillResult[]; policies: DrillingPolicy[] }> {
  // Loaded late: Azure's SDKs take longer to load than most commands take to run.
  const [{ createAzureClients }, { listDrillResults }, { listPoints }] = await Promise.all([
    import('../azure/clients.ts'),
    import('../azure/drill-results.ts'),
    import('../azure/manifests.ts'),
  ])
  const azure = createAzureClients(settings)
  const results = await listDrillResults(azure, targetUrl, undefined)
  const wanted = specs.filter(({ drill, policy }) => drill !== undefined && policy.targetUrl === targetUrl)
  const policies: DrillingPolicy[] = []
  for (const { policy, drill } of wanted) {
    if (drill === undefined) continue
    const taken: string[] = []
    // Points could be drilled since the oldest of them was made. Only who was never drilled is asked for that.
    for (const id of policy.diskIds) {
      if (results.some((result) => result.verdict === 'passed' && sameArmId(result.diskId, id))) continue
      const { points } = await listPoints(azure, targetUrl, { diskId: id })
      taken.push(...points.map(({ takenAt }) => takenAt))
    }
    const [since] = taken.toSorted((a, b) => Date.parse(a) - Date.parse(b))
    policies.push({ name: policy.name, diskIds: policy.diskIds, rule: drill.rule, ...(since !== undefined && { since }) })
  }
  return { results, policies }
}
