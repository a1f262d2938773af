/**
 * Restores several disks together, such as those of a virtual machine: one `restoreDisk` child a disk, a few at a time.
 *
 * All or none, unless it may be partial: when one fails, those under way are cancelled and those that were handed over are
 * deleted again.
 */
import { ApplicationFailure, CancellationScope, executeChild, log, ParentClosePolicy, workflowInfo } from '@temporalio/workflow'
import { TypedSearchAttributes } from '@temporalio/common'
import { parseArmId } from '../domain/arm-id.ts'
import type { FailureType } from '../domain/failures.ts'
import { mapConcurrent } from '../domain/map-concurrent.ts'
import { diskKeyOf, restoreWorkflowId, targetKeyOf } from '../domain/names.ts'
import type { GroupMember } from '../domain/restore-request.ts'
import { restoreTags } from '../domain/tags.ts'
import { finishing } from './activity-options.ts'
import { describeCause } from './describe-cause.ts'
import type { MemberOutcome, RestoreGroupInput, RestoreGroupResult } from './messages.ts'
import { isOwnCancel } from './own-cancel.ts'
import { restoreDisk } from './restore-disk.ts'
import { diskAttribute, targetAttribute } from './search-attributes.ts'

const DISKS_IN_FLIGHT = 4

export async function restoreGroup(input: RestoreGroupInput): Promise<RestoreGroupResult> {
  const { members, isPartial } = input
  const scope = new CancellationScope()
  const warnings: string[] = []
  const restored: GroupMember[] = []
  const outcomes = await scope
    .run(() =>
      mapConcurrent(members, DISKS_IN_FLIGHT, async (member): Promise<MemberOutcome> => {
        try {
          const result = await restoreMember(input, member)
          restored.push(member)
          warnings.push(...result.warnings.map((warning) => `${nameOf(member.toDiskId)}: ${warning}`))
          return { ...member, outcome: 'restored' }
        } catch (error) {
          const isCancelled = isOwnCancel(error)
          if (isPartial && !isCancelled) return { ...member, outcome: 'failed', reason: describeCause(error) }
          // Those under way end by themselves, and take their disks away.
          scope.cancel()
          throw isCancelled ? error : failed(member, describeCause(error))
        }
      }),
    )
    .catch(async (error: unknown) => {
      await CancellationScope.nonCancellable(() => takeAway(restored))
      throw error
    })
  if (restored.length > 0) return { members: outcomes, warnings }
  throw failedAll(outcomes)
}

function restoreMember({ targetUrl, how }: RestoreGroupInput, member: GroupMember) {
  const { toDiskId, pointId } = member
  return executeChild(restoreDisk, {
    workflowId: restoreWorkflowId(toDiskId),
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    staticSummary: `restore of ${nameOf(member.diskId)} to ${nameOf(toDiskId)}`,
    typedSearchAttributes: new TypedSearchAttributes([
      { key: diskAttribute, value: diskKeyOf(toDiskId) },
      { key: targetAttribute, value: targetKeyOf(targetUrl) },
    ]),
    args: [{ targetUrl, pointId, toDiskId, ...how, requestId: requestIdOf(member) }],
  })
}

/** Known to the parent, which may have to delete what the child has made. */
function requestIdOf({ toDiskId }: GroupMember): string {
  return `${workflowInfo().firstExecutionRunId} ${nameOf(toDiskId)}`
}

async function takeAway(restored: readonly GroupMember[]): Promise<void> {
  for (const member of restored) {
    const { toDiskId: id, pointId } = member
    await finishing.deleteRestoredDisk
      .executeWithOptions({ summary: `delete ${nameOf(id)} again` }, [{ id, tags: restoreTags(pointId, requestIdOf(member)) }])
      .catch((cause: unknown) => {
        log.warn('a disk of the group is still there', { diskId: id, why: describeCause(cause) })
      })
  }
}

function failed(member: GroupMember, reason: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(
    `disk ${nameOf(member.diskId)} of the group could not be restored, so none was: ${reason}`,
    'RunFailed' satisfies FailureType,
  )
}

function failedAll(members: readonly MemberOutcome[]): ApplicationFailure {
  const reasons = members.map(({ diskId, reason }) => `${nameOf(diskId)}: ${reason}`).join('; ')
  return ApplicationFailure.nonRetryable(`no disk of the group could be restored: ${reasons}`.slice(0, 2000), 'RunFailed' satisfies FailureType)
}

function nameOf(diskId: string): string {
  return parseArmId(diskId, 'disks').name
}
