/** Witness: the Azure CLI signs in by managed identity, creates a disk, snapshots it, grants and revokes access. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runQuietly } from '../lib/processes.mjs'
import { GROUP, openStage, REGION } from './stage.mjs'
import { findAzureCli } from './tools.mjs'

/** @type {import('./witnesses.mjs').Witness} */
export const azureCli = {
  name: 'azure-cli',
  prepare: findAzureCli,
  async hear(program) {
    const stage = await openStage()
    try {
      const az = commandOf(program, stage)
      const { 'azure-cli': version } = await az('version')
      await signIn(az, stage)
      return [`az ${version} created a disk and a snapshot of it, granted and revoked access`, ...(await useDisk(az))]
    } finally {
      await stage.close()
    }
  },
}

/** Its settings lie in the stage's folder, so that the user's own stay as they are. */
function commandOf(program, { env, folder }) {
  const own = { AZURE_CONFIG_DIR: join(folder, 'azure-cli'), AZURE_CORE_COLLECT_TELEMETRY: 'false', AZURE_CORE_INSTANCE_DISCOVERY: 'false' }
  return async (...args) => {
    const output = await runQuietly(program, [...args, '--output', 'json', '--only-show-errors'], { env: { ...env, ...own } })
    return output.trim() === '' ? undefined : JSON.parse(output)
  }
}

async function signIn(az, { azure, folder }) {
  const endpoint = azure.resourceManagerEndpoint
  const cloud = {
    endpoints: {
      resourceManager: endpoint,
      management: endpoint,
      // Asked for nothing: the tokens come from the identity endpoint.
      activeDirectory: endpoint,
      activeDirectoryResourceId: azure.resourceManagerAudience,
      microsoftGraphResourceId: 'https://graph.microsoft.com',
    },
    suffixes: { storageEndpoint: 'localhost' },
  }
  const file = join(folder, 'cloud.json')
  await writeFile(file, JSON.stringify(cloud))
  await az('cloud', 'register', '--name', 'Local', '--skip-endpoint-discovery', '--cloud-config', `@${file}`)
  await az('cloud', 'set', '--name', 'Local')
  const [subscription] = await az('login', '--identity')
  expectEqual('subscription', subscription.id, azure.subscriptionId)
}

async function useDisk(az) {
  const group = ['--resource-group', GROUP]
  const disk = await az('disk', 'create', ...group, '--name', 'disk', '--size-gb', '4', '--location', REGION, '--sku', 'Standard_LRS')
  expectEqual('size of the disk', disk.diskSizeBytes, 4 * 2 ** 30)

  const ofDisk = ['--source', disk.id, '--incremental', 'true', '--location', REGION]
  const snapshot = await az('snapshot', 'create', ...group, '--name', 'snapshot', ...ofDisk)
  expectEqual('source of the snapshot', snapshot.creationData.sourceUniqueId, disk.uniqueId)

  const named = [...group, '--name', 'snapshot']
  const { accessSAS } = await az('snapshot', 'grant-access', ...named, '--duration-in-seconds', '600')
  expectEqual('SAS', new URL(accessSAS).searchParams.has('sig'), true)
  expectEqual('state with access', (await az('snapshot', 'show', ...named)).diskState, 'ActiveSAS')
  await az('snapshot', 'revoke-access', ...named)
  expectEqual('state without access', (await az('snapshot', 'show', ...named)).diskState, 'Unattached')

  await az('snapshot', 'delete', ...named)
  await az('disk', 'delete', ...group, '--name', 'disk', '--yes')
  expectEqual('disks left', (await az('disk', 'list', ...group)).length, 0)
  return ['disk create, snapshot create, grant-access, revoke-access, show, list, delete']
}

function expectEqual(what, actual, expected) {
  if (actual !== expected) throw new Error(`${what}: ${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`)
}
