import { bodyOf, METHODS, NAMES, pick, VALUES, type FuzzedRequest, type Random } from './fuzz.ts'

/** The same for the resource manager. */

const ARM_PROPERTIES = [
  'diskSizeGB',
  'incremental',
  'osType',
  'networkAccessPolicy',
  'dataAccessAuthMode',
  'publicNetworkAccess',
  'diskIOPSReadWrite',
  'hyperVGeneration',
  'purchasePlan',
  'storageProfile',
  'source',
]
const ARM_VALUES: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e300,
  '',
  'Premium_LRS',
  'AllowAll',
  [],
  [[]],
  {},
  { a: {} },
]

export function fuzzedArmRequest(random: Random, subscriptionId: string, token: string): FuzzedRequest {
  const subscription = pick(random, [subscriptionId, subscriptionId, 'none', ''])
  const type = pick(random, ['disks', 'snapshots', 'virtualMachines', 'restorePointCollections', 'nonsense'])
  const isNearlyRight = random(4) > 0
  const action = pick(random, ['', 'beginGetAccess', 'endGetAccess'])
  const name = pick(random, ['disk', 'snapshot', 'a', 'b'])
  const right = ['fuzz-rg', 'providers', 'Microsoft.Compute', type, name, action]
  const wrong = [
    pick(random, ['fuzz-rg', 'none', '%zz', '']),
    'providers',
    pick(random, ['Microsoft.Compute', 'microsoft.compute', 'Microsoft.Nothing']),
    type,
    pick(random, NAMES),
    pick(random, ['', 'beginGetAccess', 'nonsense']),
  ].slice(0, random(7))
  const segments = isNearlyRight
    ? ['subscriptions', subscriptionId, 'resourceGroups', ...right]
    : ['subscriptions', subscription, 'resourceGroups', ...wrong]
  const version = random(8) > 0 ? 'api-version=2025-01-02' : pick(random, ['api-version=soon', ''])
  const authorization = random(8) > 0 ? `Bearer ${token}` : pick(random, ['Bearer a.b.c', 'Bearer ', 'Basic x'])
  const headers = { authorization, 'content-type': pick(random, ['application/json', 'text/plain']) }
  const rightMethod = action === '' ? pick(random, ['PUT', 'PUT', 'PATCH', 'GET', 'DELETE']) : 'POST'
  const method = isNearlyRight ? rightMethod : pick(random, METHODS)
  const target = `/${segments.join('/')}?${version}&$skiptoken=${random(9)}`
  return { method, target, headers, ...(isNearlyRight ? armBodyOf(random) : bodyOf(random)) }
}

/** JSON of about the right shape, with values of any kind. */
function armBodyOf(random: Random): Pick<FuzzedRequest, 'body' | 'isChunked'> {
  const value = (): unknown => {
    if (random(3) > 0) return pick(random, ARM_VALUES)
    return random(2) === 0 ? pick(random, VALUES) : [pick(random, VALUES)]
  }
  const properties = Object.fromEntries(ARM_PROPERTIES.filter(() => random(3) === 0).map((name) => [name, value()]))
  const creationData = random(4) > 0 ? { createOption: 'Empty' } : value()
  const location = random(8) > 0 ? 'westeurope' : value()
  const access = random(2) === 0 ? { access: 'Read', durationInSeconds: 60, fileFormat: pick(random, ['VHD', 'VHDX', undefined]) } : { access: value(), fileFormat: value() }
  const common = { location, tags: value(), sku: { name: pick(random, ['Premium_LRS', 'PremiumV2_LRS']) } }
  const resource = { ...common, properties: { diskSizeGB: 1, creationData, ...properties } }
  const body = random(12) === 0 ? value() : { ...resource, ...access }
  return { body: Buffer.from(JSON.stringify(body) ?? ''), isChunked: random(10) === 0 }
}
