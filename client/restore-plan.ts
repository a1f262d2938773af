/** A restore that was surveyed, as people read it before they say yes. */
import { parseArmId } from '../domain/arm-id.ts'
import type { RestoreSurvey } from '../engine/survey-restore.ts'
import { formatBytes, formatInstant, formatRelative, formatSeconds, plural } from './format.ts'

/** @param obstacles what forbids the restore, a line each. */
export function renderPlan(survey: RestoreSurvey, obstacles: readonly string[], nowMs: number): string {
  const { point, shape, region, contentBytes, requests, estimatedSeconds } = survey
  const disk = parseArmId(point.diskId, 'disks')
  const kind = [shape.sku, shape.osType, shape.zones?.length ? `zone ${shape.zones.join(', ')}` : undefined, region]
  const lines: (readonly [string, string])[] = [
    ['point', `${point.id} of disk ${disk.name}`],
    ['holds', `${formatInstant(point.takenAt)}, ${formatRelative(point.takenAt, nowMs)}: what was written since is not in it`],
    ['makes', survey.toDiskId],
    ['as', `${formatBytes(point.sizeBytes)}, ${kind.filter((part) => part !== undefined).join(', ')}`],
    ['how', 'upload disk, copied by the storage service where it may, compared with the point, then handed over'],
    ['copies', `${formatBytes(contentBytes)} in ${plural(requests, 'request')}`],
    ['takes', `about ${formatSeconds(Math.max(1, Math.round(estimatedSeconds)))}, at the 60 MiB/s that Azure gives one blob`],
    ['name', survey.isNameTaken ? 'TAKEN' : 'free'],
    ['rights', describeRights(survey)],
  ]
  return [
    ...lines.map(([label, text]) => `${label.padEnd(8)}${text}`),
    ...survey.warnings.map((warning) => `note    ${warning}`),
    ...obstacles.map((obstacle) => `BLOCKED ${obstacle}`),
  ].join('\n')
}

function describeRights({ rights, isGroupMissing }: RestoreSurvey): string {
  if (isGroupMissing) return 'cannot be told: the resource group is not there'
  const missing = rights.filter(({ isPresent }) => isPresent === false)
  if (missing.length > 0) return `MISSING ${missing.map(({ action }) => action).join(', ')}`
  return rights.some(({ isPresent }) => isPresent === 'unknown')
    ? 'unknown: the identity may not read its own permissions'
    : 'present, as far as roles tell (policies and deny assignments are not looked at)'
}
