/** Bare REST calls of the storage service, for what its SDK cannot do. The URL is sent byte for byte as given. */
import {
  bearerTokenAuthenticationPolicy,
  createDefaultHttpClient,
  createHttpHeaders,
  createPipelineFromOptions,
  createPipelineRequest,
  RestError,
  type Pipeline,
  type PipelinePolicy,
  type PipelineResponse,
} from '@azure/core-rest-pipeline'
import { XMLParser } from 'fast-xml-parser'
import { STORAGE_SCOPE, type AzureClients } from './clients.ts'
import { DISK_SCOPE } from './disk-data.ts'

/**
 * The oldest version that answers page lists by marker and maxresults (REST reference, Get Page Ranges): what is oldest
 * is understood most widely. `x-ms-previous-snapshot-url` needs 2019-07-07, bearer tokens 2017-11-09.
 */
export const STORAGE_REST_VERSION = '2020-10-02'

/** `sas`: the URL carries its right itself, and says if it wants a token beside it. `bearer`: the signed-in identity's. */
export type StorageAuth = 'sas' | 'bearer'

export interface StorageRest {
  /** @throws RestError for any answer but a success, so that `translate` reads it like one of the SDK's. */
  get(
    url: string,
    auth: StorageAuth,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<PipelineResponse>
}

export function createStorageRest(azure: AzureClients): StorageRest {
  const client = createDefaultHttpClient()
  const { credential } = azure
  const pipelines = {
    sas: createPipeline(),
    'sas+token': createPipeline(bearerTokenAuthenticationPolicy({ credential, scopes: DISK_SCOPE })),
    bearer: createPipeline(bearerTokenAuthenticationPolicy({ credential, scopes: STORAGE_SCOPE })),
  } as const
  return {
    async get(url, auth, headers, abortSignal) {
      const send = async (pipeline: keyof typeof pipelines): Promise<PipelineResponse> => {
        const request = createPipelineRequest({
          url,
          headers: createHttpHeaders({ ...headers, 'x-ms-version': STORAGE_REST_VERSION, accept: 'application/xml' }),
          abortSignal,
          // A SAS is its own right: whether it may travel without TLS is for who granted it. Bearer tokens never do.
          allowInsecureConnection: auth === 'sas',
        })
        const response = await pipelines[pipeline].sendRequest(client, request)
        if (response.status < 200 || response.status > 299) throw errorOf(response)
        return response
      }
      return auth === 'sas' ? azure.diskData.use(grantOf(url), send) : send(auth)
    },
  }
}

/** A page list is asked for by parameters that are appended to the SAS as it was granted. */
function grantOf(url: string): string {
  return url.replace(/&comp=pagelist.*$/, '')
}

/** Repetition is `call.ts`'s. */
function createPipeline(authorization?: PipelinePolicy): Pipeline {
  const pipeline = createPipelineFromOptions({ retryOptions: { maxRetries: 0 } })
  if (authorization !== undefined) pipeline.addPolicy(authorization, { phase: 'Sign' })
  return pipeline
}

const parser = new XMLParser({ removeNSPrefix: true, parseTagValue: false, htmlEntities: true })

function errorOf(response: PipelineResponse): RestError {
  const { code, message } = readErrorBody(response.bodyAsText ?? '')
  const errorCode = response.headers.get('x-ms-error-code') ?? code
  return new RestError(message ?? `status ${response.status}`, {
    statusCode: response.status,
    ...(errorCode === undefined ? {} : { code: errorCode }),
    response,
  })
}

function readErrorBody(text: string): { code?: string; message?: string } {
  try {
    const body: unknown = parser.parse(text)
    const error: unknown = typeof body === 'object' && body !== null && 'Error' in body ? body.Error : undefined
    if (typeof error !== 'object' || error === null) return {}
    return {
      ...('Code' in error ? { code: String(error.Code) } : {}),
      ...('Message' in error ? { message: String(error.Message) } : {}),
    }
  } catch {
    return {}
  }
}
