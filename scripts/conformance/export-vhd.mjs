/**
 * `export-vhd.mjs FORMAT IMAGE RAW`: snapshots a disk, downloads its export as VHD or VHDX to the file IMAGE, and writes what
 * the disk holds to RAW. A disk that is exported as VHDX has sectors of 4,096 bytes.
 *
 * A process of its own, started with the stage's environment, since Node reads NODE_EXTRA_CA_CERTS once.
 */
import { randomBytes, randomInt } from 'node:crypto'
import { open } from 'node:fs/promises'
import { env } from 'node:process'
import { ComputeManagementClient } from '@azure/arm-compute'
import { DefaultAzureCredential } from '@azure/identity'
import { PageBlobClient } from '@azure/storage-blob'

const DISK_BYTES = 2 ** 30
const WRITES = 32
const MAX_WRITE_PAGES = 512
const [fileFormat, imageFile, rawFile] = process.argv.slice(2)
const sku = fileFormat === 'VHDX' ? 'PremiumV2_LRS' : 'Standard_LRS'
const group = env.WITNESS_RESOURCE_GROUP
const location = env.WITNESS_REGION

const compute = new ComputeManagementClient(new DefaultAzureCredential(), env.WITNESS_SUBSCRIPTION_ID, {
  endpoint: env.SNAPFERRY_RESOURCE_MANAGER_ENDPOINT,
  credentials: { scopes: [`${env.SNAPFERRY_RESOURCE_MANAGER_AUDIENCE}/.default`] },
})
const empty = { location, sku: { name: sku }, creationData: { createOption: 'Empty' }, diskSizeGB: 1 }
const disk = await compute.disks.createOrUpdate(group, `disk-${fileFormat}`, empty)

const raw = await open(rawFile, 'w')
await raw.truncate(DISK_BYTES)
for (let count = 0; count < WRITES; count++) {
  const data = randomBytes(512 * randomInt(1, MAX_WRITE_PAGES))
  // The first and the last page are where readers go wrong.
  const lastOffset = DISK_BYTES - data.length
  const offsetBytes = count === 0 ? 0 : count === 1 ? lastOffset : 512 * randomInt(lastOffset / 512)
  const url = `${env.WITNESS_CONTROL_ENDPOINT}/content?id=${encodeURIComponent(disk.id)}&offset=${offsetBytes}`
  const response = await fetch(url, { method: 'PUT', body: data })
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
  await raw.write(data, 0, data.length, offsetBytes)
}
await raw.close()

const creationData = { createOption: 'Copy', sourceResourceId: disk.id }
const name = `snapshot-${fileFormat}`
await compute.snapshots.createOrUpdate(group, name, { location, incremental: true, creationData })
const { accessSAS } = await compute.snapshots.grantAccess(group, name, { access: 'Read', durationInSeconds: 3600, fileFormat })
await new PageBlobClient(accessSAS).downloadToFile(imageFile)
await compute.snapshots.revokeAccess(group, name)
