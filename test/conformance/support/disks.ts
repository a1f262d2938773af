/**
 * The disks and snapshots of one test file. All that it makes carries the tag of its run; closing revokes and deletes what has
 * that tag, also what a failed test left behind.
 */
import { callArm, jsonOf, withQuery, type Answer, type Method } from './rest.ts'
import { operationEnd, settle } from './long-running.ts'
import type { Place } from './place.ts'

export const COMPUTE_VERSION = '2025-01-02'
export const RUN_TAG = 'snapferry-conformance'
export const VHD_FOOTER_BYTES = 512

type Kind = 'disks' | 'snapshots'

/** What the tests look at of a disk or snapshot document. */
export interface Resource {
  readonly id: string
  readonly name: string
  readonly location: string
  readonly sku: { readonly name: string }
  readonly tags?: Readonly<Record<string, string>>
  readonly properties: {
    readonly provisioningState: string
    readonly diskState: string
    readonly diskSizeBytes: number
    readonly diskSizeGB: number
    readonly timeCreated: string
    readonly uniqueId: string
    readonly incremental?: boolean
    readonly incrementalSnapshotFamilyId?: string
    readonly completionPercent?: number
    readonly creationData: { readonly createOption: string; readonly sourceResourceId?: string; readonly sourceUniqueId?: string }
  }
}

export interface Disks {
  /** What everything must carry that a test makes by other means. */
  readonly tags: Readonly<Record<string, string>>
  freshName(): string
  /** ARM id of a name in the resource group of the suite. */
  idOf(kind: Kind, name: string): string
  /** Path and query below the endpoint; `api-version` is added. */
  arm(method: Method, path: string, body?: unknown): Promise<Answer>
  settle(answer: Answer): ReturnType<typeof settle>
  get(id: string): Promise<Resource>
  /** Everything of the resource group, all pages. */
  list(kind: Kind): Promise<Resource[]>
  /** Waits until it is there. @throws when it was refused */
  createEmptyDisk(sizeGib?: number): Promise<Resource>
  putDisk(name: string, properties: object): Promise<Answer>
  /** `overrides` replace parts of the body of an incremental snapshot of the disk. */
  putSnapshot(name: string, diskId: string, overrides?: { location?: string; properties?: object }): Promise<Answer>
  createSnapshot(diskId: string): Promise<Resource>
  /** The SAS URL. */
  grant(id: string, access?: 'Read' | 'Write'): Promise<string>
  revoke(id: string): Promise<void>
  close(): Promise<void>
}

export function openDisks(place: Place, runId: string): Disks {
  let count = 0
  const group = `/subscriptions/${place.subscriptionId}/resourceGroups/${place.resourceGroup}`
  const tags = { [RUN_TAG]: runId }
  const arm: Disks['arm'] = (method, path, body) =>
    callArm(place.credential, method, withQuery(`${place.resourceManagerEndpoint}${path}`, `api-version=${COMPUTE_VERSION}`), body)
  const settled: Disks['settle'] = (answer) => settle(place.credential, answer)

  const disks: Disks = {
    tags,
    freshName: () => `${runId}-${++count}`,
    idOf: (kind, name) => `${group}/providers/Microsoft.Compute/${kind}/${name}`,
    arm,
    settle: settled,
    async get(id) {
      const answer = await arm('GET', id)
      if (answer.status !== 200) throw new Error(`${answer.status} ${answer.code} of ${id}`)
      return jsonOf(answer) as Resource
    },
    async list(kind) {
      const found: Resource[] = []
      let answer = await arm('GET', `${group}/providers/Microsoft.Compute/${kind}`)
      for (;;) {
        const page = jsonOf(answer) as { value: Resource[]; nextLink?: string }
        found.push(...page.value)
        if (page.nextLink === undefined) return found
        answer = await callArm(place.credential, 'GET', page.nextLink)
      }
    },
    putDisk: (name, properties) => arm('PUT', disks.idOf('disks', name), { location: place.region, tags, properties }),
    async createEmptyDisk(sizeGib = 1) {
      const name = disks.freshName()
      await settled(await disks.putDisk(name, { creationData: { createOption: 'Empty' }, diskSizeGB: sizeGib }))
      return disks.get(disks.idOf('disks', name))
    },
    putSnapshot: (name, diskId, overrides = {}) =>
      arm('PUT', disks.idOf('snapshots', name), {
        location: overrides.location ?? place.region,
        tags,
        properties: { incremental: true, creationData: { createOption: 'Copy', sourceResourceId: diskId }, ...overrides.properties },
      }),
    async createSnapshot(diskId) {
      const name = disks.freshName()
      await settled(await disks.putSnapshot(name, diskId))
      return disks.get(disks.idOf('snapshots', name))
    },
    async grant(id, access = 'Read') {
      const answer = await arm('POST', `${id}/beginGetAccess`, { access, durationInSeconds: 3600 })
      if (answer.status !== 202) throw new Error(`${answer.status} ${answer.body.toString('utf8')}`)
      const { properties } = await operationEnd(place.credential, answer)
      return String(properties?.output?.['accessSAS'])
    },
    async revoke(id) {
      await settled(await arm('POST', `${id}/endGetAccess`))
    },
    async close() {
      for (const kind of ['snapshots', 'disks'] as const) {
        const own = (await disks.list(kind)).filter(({ tags: given }) => given?.[RUN_TAG] === runId)
        for (const resource of own) {
          if (resource.properties.diskState.startsWith('Active')) {
            // An upload that a test left without a footer cannot end well; its disk is deleted all the same.
            await disks.revoke(resource.id).catch(() => undefined)
          }
          await settled(await arm('DELETE', resource.id))
        }
      }
    },
  }

  return disks
}
