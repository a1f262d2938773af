/** A restore that was surveyed, as people read it before they say yes. */
import { parseArmId } from '../domain/arm-id.ts'
import { sharePercentOf } from '../domain/point-check.ts'
import type { AnyPoint } from '../domain/recovery-point.ts'
import type { CostItem, RestoreCost } from '../domain/restore-cost.ts'
import { describeSettings } from '../domain/restored-disk.ts'
import type { RestoreWay } from '../domain/restore-request.ts'
import type { RestoreSurvey } from '../engine/survey-restore.ts'
import { formatBytes, formatInstant, formatRelative, formatSeconds, plural } from './format.ts'

const WAYS: Record<RestoreWay, string> = {
  upload: 'upload disk, copied by the storage service where it may, compared, then handed over',
  import: 'temporary copy of the page blob, imported by Azure, compared, then handed over',
  'source-snapshot': 'made by Azure from the source snapshot, compared with the point, then handed over',
}

/** @param obstacles what forbids the restore, a line each. */
export function renderPlan(survey: RestoreSurvey, obstacles: readonly string[], nowMs: number): string {
  const { origin, shape, settings, region, contentBytes, requests, estimatedSeconds, way, temporaryDiskId } = survey
  const disk = parseArmId(origin.diskId, 'disks')
  const kind = [shape.sku, shape.osType, shape.zones?.length ? `zone ${shape.zones.join(', ')}` : undefined, region, shape.encryption && `under ${shape.encryption.diskEncryptionSetId}`]
  const copied = `${formatBytes(contentBytes)} in ${plural(requests, 'request')}`
  const lines: (readonly [string, string])[] = [
    origin.point === undefined
      ? ['source', `base blob ${origin.baseBlobName} of disk ${disk.name}, as it is now: NOT SEALED`]
      : ['point', `${origin.point.id} of disk ${disk.name}`],
    ['holds', describeAge(origin.takenAt, nowMs)],
    ...(origin.point === undefined ? [] : [['checked', describeShare(origin.point, nowMs)] as const]),
    ['makes', survey.makes],
    ['as', `${formatBytes(survey.sizeBytes)}, ${kind.filter((part) => part !== undefined).join(', ')}`],
    ...(temporaryDiskId === undefined ? [] : [['by', `snapshot of a temporary disk, ${parseArmId(temporaryDiskId, 'disks').name}, which is deleted`] as const]),
    ['how', WAYS[way]],
    ...(Object.keys(settings).length === 0 ? [] : [['gets', describeSettings(settings)] as const]),
    ['copies', way === 'upload' ? copied : `${copied} are held; Azure copies them`],
    [
      'takes',
      estimatedSeconds === undefined
        ? 'as long as Azure takes for it, and the comparison'
        : `about ${formatSeconds(Math.max(1, Math.round(estimatedSeconds)))} and the comparison, at the 60 MiB/s that Azure gives one blob`,
    ],
    ['costs', describeCost(survey.cost, region)],
    ['faster', describeFastWay(survey)],
    ['name', survey.nameTaken === undefined ? 'free' : `TAKEN by ${survey.nameTaken}`],
    ['quota', survey.quota === 'unknown' ? 'unknown: Azure does not say, or the identity may not ask' : `${survey.quota.used} of ${survey.quota.limit} used (${survey.quota.name})`],
    ['rights', describeRights(survey)],
  ]
  return [
    ...lines.map(([label, text]) => `${label.padEnd(8)}${text}`),
    ...survey.warnings.map((warning) => `note    ${warning}`),
    ...obstacles.map((obstacle) => `BLOCKED ${obstacle}`),
  ].join('\n')
}

function describeAge(takenAt: string | undefined, nowMs: number): string {
  if (takenAt === undefined) return 'the state of its last point; no manifest tells when that was'
  return `${formatInstant(takenAt)}, ${formatRelative(takenAt, nowMs)}: what was written since is not in it`
}

function describeShare({ verified }: AnyPoint, nowMs: number): string {
  const share = sharePercentOf(verified)
  if (verified === undefined || share === 0) return 'nothing of the bytes was compared with the digests since the point was sealed'
  return `${Number(share.toPrecision(2))} % of the bytes were compared with the digests ${formatRelative(verified.at, nowMs)}, and right`
}

function describeFastWay({ way, sourceSnapshot: { isUsable, reason } }: RestoreSurvey): string {
  if (way === 'source-snapshot') return 'this is the fast way'
  return isUsable ? 'yes: --source-snapshot, the source snapshot still lives in this region' : `no: ${reason?.split(';')[0] ?? 'no source snapshot is named'}`
}

function describeCost({ items, once, perMonth, currency }: RestoreCost, region: string): string {
  const amount = (value: number): string => `${value.toFixed(2)}${currency === '' ? '' : ` ${currency}`}`
  const unpriced = items.filter((item) => item.amount === undefined && item.quantity > 0)
  const isPriced = items.some((item) => item.amount !== undefined)
  return [
    ...(isPriced ? [`${amount(once)} once and ${amount(perMonth)} a month`] : []),
    ...(unpriced.length === 0 ? [] : [`not priced: ${unpriced.map(quantityOf).join(', ')}`]),
    ...(items.some(({ name, quantity }) => name === 'egressPerGib' && quantity > 0) ? [`between regions only if the storage account is not in ${region}`] : []),
  ].join('; ')
}

function quantityOf({ quantity, unit }: CostItem): string {
  return `${quantity < 10 ? quantity.toFixed(2) : Math.round(quantity)} ${unit}`
}

function describeRights({ rights, isGroupMissing }: RestoreSurvey): string {
  if (isGroupMissing) return 'cannot be told: the resource group is not there'
  const missing = rights.filter(({ isPresent }) => isPresent === false)
  if (missing.length > 0) return `MISSING ${missing.map(({ action }) => action).join(', ')}`
  const unknown = rights.filter(({ isPresent }) => isPresent === 'unknown')
  if (unknown.length === rights.length) return 'unknown: the identity may not read its own permissions'
  const present = 'present, as far as roles tell (policies and deny assignments are not looked at)'
  return unknown.length === 0 ? present : `${present}; unknown: ${unknown.map(({ action }) => action).join(', ')}`
}
