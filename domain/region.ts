/** Names of Azure regions: `West Europe` and `westeurope` are the same. */

export function isSameRegion(a: string, b: string): boolean {
  return plain(a) === plain(b)
}

function plain(region: string): string {
  return region.toLowerCase().replace(/\s/g, '')
}
