/**
 * What the signed-in identity may do in a resource group, as Azure sums up its role assignments (Permissions, List For Resource
 * Group). Deny assignments and policies are not in there: a right that is missing is missing, one that is there may still be refused.
 */
import { createDefaultHttpClient, createPipelineRequest, RestError } from '@azure/core-rest-pipeline'
import { z } from 'zod'
import { parseResourceGroup } from '../domain/arm-id.ts'
import type { Permission } from '../domain/permissions.ts'
import { callArm } from './arm-call.ts'
import type { AzureClients } from './clients.ts'

const API_VERSION = '2022-04-01'

const names = z.array(z.string()).nullish()
const answer = z.object({
  value: z.array(z.object({ actions: names, notActions: names })),
  nextLink: z.string().nullish(),
})

/** @param resourceId of anything in the group. @throws BackupError SourceDiskNotFound where the group is missing; AccessDenied. */
export async function permissionsBeside(azure: AzureClients, resourceId: string, signal?: AbortSignal): Promise<Permission[]> {
  const { subscriptionId, resourceGroup } = parseResourceGroup(resourceId)
  const scope = `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}`
  const origin = azure.settings.resourceManagerEndpoint.replace(/\/+$/, '')
  const context = { doing: 'read the rights in', on: scope, notFound: 'SourceDiskNotFound' } as const
  const permissions: Permission[] = []
  let url: string | undefined = `${origin}${scope}/providers/Microsoft.Authorization/permissions?api-version=${API_VERSION}`
  while (url !== undefined) {
    const page = await callArm(context, signal, () => get(azure, subscriptionId, url ?? '', signal))
    for (const { actions, notActions } of page.value) permissions.push({ actions: actions ?? [], notActions: notActions ?? [] })
    url = page.nextLink ?? undefined
  }
  return permissions
}

/** Through the pipeline of the compute client, with its token, its retries and its deadline. */
async function get(azure: AzureClients, subscriptionId: string, url: string, signal: AbortSignal | undefined) {
  const request = createPipelineRequest({ url, ...(signal && { abortSignal: signal }) })
  const response = await azure.compute(subscriptionId).pipeline.sendRequest(createDefaultHttpClient(), request)
  if (response.status === 200) return answer.parse(JSON.parse(response.bodyAsText ?? ''))
  throw new RestError(`status ${response.status}`, { statusCode: response.status, request, response })
}
