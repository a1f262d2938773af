/**
 * Where Azure Resource Manager is. Nothing else of Azure needs an address: blobs are reached by the URLs that Azure
 * grants or the user names.
 */

export interface AzureSettings {
  /** Origin of Azure Resource Manager, without a path. */
  readonly resourceManagerEndpoint: string
  /** What a token for it is issued for; a trailing slash makes no difference. */
  readonly resourceManagerAudience: string
}

export const PUBLIC_CLOUD: AzureSettings = {
  resourceManagerEndpoint: 'https://management.azure.com',
  resourceManagerAudience: 'https://management.azure.com/',
}
