/** What scripts/start.mjs set up for the demo, as its environment tells it. The product's settings are left to the product. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'

export interface Stage {
  /** Empty folder for images and the policy file. */
  readonly folder: string
  /** URL of the container that backups go to; the demo makes it. */
  readonly targetUrl: string
  readonly azure: AzureEndpoints
  /** Of Temporal, where the demo started it. */
  readonly uiUrl?: string
}

const endpointsSchema = z.object({
  controlEndpoint: z.url(),
  identityEndpoint: z.url(),
  identityHeader: z.string(),
})

export type AzureEndpoints = z.output<typeof endpointsSchema>

/** @throws when the demo was not started by scripts/start.mjs. */
export async function readStage(folder: string | undefined, env: NodeJS.ProcessEnv): Promise<Stage> {
  const targetUrl = env['SNAPFERRY_DEMO_TARGET']
  if (folder === undefined || targetUrl === undefined) throw new Error('start the demo by `npm start`')
  const endpoints: unknown = JSON.parse(await readFile(join(folder, 'azure.json'), 'utf8'))
  const uiUrl = env['SNAPFERRY_DEMO_UI']
  return { folder, targetUrl, azure: endpointsSchema.parse(endpoints), ...(uiUrl !== undefined && { uiUrl }) }
}
