/** Which real subscription the conformance suite may use, by the environment; docs/conformance.md lists the variables. */
import { env } from 'node:process'

export interface AzureSettings {
  readonly subscriptionId: string
  /** Exists; everything the suite makes of Microsoft.Compute lies in it. */
  readonly resourceGroup: string
  /** Where disks and snapshots are made. */
  readonly region: string
  readonly otherRegion: string
  /** `https://ACCOUNT.blob.core.windows.net`, a standard general-purpose v2 account. */
  readonly accountUrl: string
}

const VARIABLES = {
  subscriptionId: 'AZURE_SUBSCRIPTION_ID',
  resourceGroup: 'SNAPFERRY_CONFORMANCE_RESOURCE_GROUP',
  region: 'SNAPFERRY_CONFORMANCE_REGION',
  otherRegion: 'SNAPFERRY_CONFORMANCE_OTHER_REGION',
  accountUrl: 'SNAPFERRY_CONFORMANCE_ACCOUNT_URL',
} as const satisfies Record<keyof AzureSettings, string>

export type AzureChoice =
  { readonly kind: 'settings'; readonly settings: AzureSettings } | { readonly kind: 'none'; readonly missing: readonly string[] }

/** The settings when all are given; else the names of those that are not. */
export function chooseAzure(): AzureChoice {
  const missing = Object.values(VARIABLES).filter((name) => (env[name] ?? '') === '')
  if (missing.length > 0) return { kind: 'none', missing }
  const read = (name: keyof AzureSettings): string => env[VARIABLES[name]] ?? ''
  return {
    kind: 'settings',
    settings: {
      subscriptionId: read('subscriptionId'),
      resourceGroup: read('resourceGroup'),
      region: read('region').toLowerCase().replaceAll(' ', ''),
      otherRegion: read('otherRegion').toLowerCase().replaceAll(' ', ''),
      accountUrl: read('accountUrl').replace(/\/+$/, ''),
    },
  }
}
