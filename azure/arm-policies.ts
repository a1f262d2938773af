/**
 * What we add to the compute SDK's pipeline: a deadline for each request, a limit to sleeping through Retry-After, and
 * a second place to find a granted SAS. Each policy runs inside the SDK's retry loop.
 */
import { RestError, type PipelinePolicy, type PipelineResponse } from '@azure/core-rest-pipeline'
import { LONGEST_WAIT_MS } from './call.ts'
import { isAbort, LongWait, readAnswer, retryAfterMsOf } from './vendor-error.ts'

const REQUEST_TIMEOUT_MS = 60_000

/** Without it a request on a dead connection waits for ever. The SDK repeats it as it repeats any lost connection. */
export function deadlinePolicy(timeoutMs: number = REQUEST_TIMEOUT_MS): PipelinePolicy {
  return {
    name: 'snapferryDeadline',
    async sendRequest(request, next) {
      request.timeout = timeoutMs
      try {
        return await next(request)
      } catch (error) {
        if (!isAbort(error) || request.abortSignal?.aborted === true) throw error
        throw new RestError(`no answer within ${timeoutMs / 1000} s`, { code: 'ETIMEDOUT' })
      }
    },
  }
}

/**
 * The compute service may ask for 20 minutes (azure docs, troubleshooting throttling errors): that is Temporal's to
 * wait for.
 */
export function longWaitPolicy(): PipelinePolicy {
  return {
    name: 'snapferryLongWait',
    async sendRequest(request, next) {
      const response = await next(request)
      const isRefusal = response.status === 429 || response.status === 503
      if (isRefusal && (retryAfterMsOf(response.headers) ?? 0) > LONGEST_WAIT_MS) {
        throw new LongWait(readAnswer(response.status, response.headers, parseJson(response)))
      }
      return response
    },
  }
}

/**
 * The SDK reads `accessSAS` from the top of the last answer. An operation that names no Location ends with the answer
 * of Azure-AsyncOperation, which has it in `properties.output` (github.com/Azure/azure-sdk-for-js/issues/17499).
 */
export function grantOutputPolicy(): PipelinePolicy {
  return {
    name: 'snapferryGrantOutput',
    async sendRequest(request, next) {
      const response = await next(request)
      if (!/"accessSAS"/i.test(response.bodyAsText ?? '')) return response
      const body = parseJson(response)
      const accessSAS = findSas(body)
      if (accessSAS !== undefined && isObject(body)) response.bodyAsText = JSON.stringify({ ...body, accessSAS })
      return response
    },
  }
}

function findSas(body: unknown): string | undefined {
  if (!isObject(body)) return undefined
  const own = Object.entries(body).find(([key]) => key.toLowerCase() === 'accesssas')?.[1]
  return typeof own === 'string' && own !== '' ? own : (findSas(body['properties']) ?? findSas(body['output']))
}

function parseJson(response: PipelineResponse): unknown {
  try {
    return JSON.parse(response.bodyAsText ?? '')
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
