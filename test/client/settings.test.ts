import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { PUBLIC_CLOUD } from '../../azure/settings.ts'
import { EMPTY_CONFIG, parseConfigFile } from '../../config/config-file.ts'
import { loadSettings, resolveSettings } from '../../config/settings.ts'

let folder: string
/** Keeps the developer's own profiles out of the tests. */
let noProfiles: { TEMPORAL_CONFIG_FILE: string }

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'snapferry-settings-'))
  noProfiles = { TEMPORAL_CONFIG_FILE: path.join(folder, 'none.toml') }
})

afterAll(() => rm(folder, { recursive: true }))

const FILE = parseConfigFile(
  [
    'temporal: { address: file:7233, namespace: from-file }',
    'azure: { resourceManagerEndpoint: "https://file.example" }',
    'worker: { taskQueue: from-file, maxConcurrentTransfers: 3, metricsAddress: "127.0.0.1:1" }',
  ].join('\n'),
  'snapferry.yaml',
)

describe('settings', () => {
  test('have defaults for everything: a local Temporal and the public cloud', () => {
    const { temporal, azure, worker } = resolveSettings(noProfiles, EMPTY_CONFIG)
    expect(temporal).toMatchObject({ address: 'localhost:7233', namespace: 'default' })
    expect(azure).toEqual(PUBLIC_CLOUD)
    expect(worker).toEqual({ taskQueuePrefix: 'snapferry', maxConcurrentTransfers: 16, runsDrillCommands: false })
  })

  test('come from the file where the environment is silent, and an empty variable is silent', () => {
    const { temporal, azure, worker } = resolveSettings({ ...noProfiles, TEMPORAL_ADDRESS: '' }, FILE)
    expect(temporal).toMatchObject({ address: 'file:7233', namespace: 'from-file' })
    expect(azure).toEqual({ ...PUBLIC_CLOUD, resourceManagerEndpoint: 'https://file.example' })
    expect(worker).toEqual({ taskQueuePrefix: 'from-file', maxConcurrentTransfers: 3, metricsAddress: '127.0.0.1:1', runsDrillCommands: false })
  })

  test('come from the environment before the file', () => {
    const { temporal, azure, worker } = resolveSettings(
      {
        ...noProfiles,
        TEMPORAL_ADDRESS: 'env:7233',
        TEMPORAL_NAMESPACE: 'from-env',
        SNAPFERRY_RESOURCE_MANAGER_ENDPOINT: 'https://env.example',
        SNAPFERRY_RESOURCE_MANAGER_AUDIENCE: 'https://audience.example',
        SNAPFERRY_TASK_QUEUE: 'from-env',
        SNAPFERRY_MAX_CONCURRENT_TRANSFERS: '5',
        SNAPFERRY_METRICS_ADDRESS: '127.0.0.1:2',
        SNAPFERRY_RUN_DRILL_COMMANDS: '1',
        SNAPFERRY_ALERT_COMMAND: 'notify  --urgent',
      },
      FILE,
    )
    expect(temporal).toMatchObject({ address: 'env:7233', namespace: 'from-env' })
    expect(azure).toEqual({
      resourceManagerEndpoint: 'https://env.example',
      resourceManagerAudience: 'https://audience.example',
    })
    expect(worker).toEqual({ taskQueuePrefix: 'from-env', maxConcurrentTransfers: 5, metricsAddress: '127.0.0.1:2', runsDrillCommands: true, alertCommand: ['notify', '--urgent'] })
  })

  test('cap a worker only where they say so, the environment before the file', () => {
    const file = { ...EMPTY_CONFIG, worker: { maxMibPerSecond: 100, maxRequestsPerSecond: 200 } }
    expect(resolveSettings(noProfiles, file).worker).toMatchObject({ maxMibPerSecond: 100, maxRequestsPerSecond: 200 })
    const environment = { ...noProfiles, SNAPFERRY_MAX_MIB_PER_SECOND: '5', SNAPFERRY_MAX_REQUESTS_PER_SECOND: '6' }
    expect(resolveSettings(environment, file).worker).toMatchObject({ maxMibPerSecond: 5, maxRequestsPerSecond: 6 })
  })

  test("come from a profile of Temporal's own file where neither says anything", async () => {
    const profiles = path.join(folder, 'temporal.toml')
    await writeFile(profiles, '[profile.cloud]\naddress = "cloud:7233"\nnamespace = "prod"\napi_key = "key"\n')
    const environment = { TEMPORAL_CONFIG_FILE: profiles }
    const { temporal } = resolveSettings(environment, { ...EMPTY_CONFIG, temporal: { profile: 'cloud' } })
    expect(temporal).toMatchObject({
      address: 'cloud:7233',
      namespace: 'prod',
      connectionOptions: { apiKey: 'key', tls: true },
    })
    expect(() => resolveSettings({ ...environment, TEMPORAL_PROFILE: 'nowhere' }, EMPTY_CONFIG)).toThrow('nowhere')
  })

  test.each(['localhost:9464', '127.0.0.1', '127.0.0.1:http', '127.0.0.1:65536', '1.2.3:9464', '::1:9464', '[::1]'])('refuse %p as the address of metrics', (address) => {
    expect(() => resolveSettings({ ...noProfiles, SNAPFERRY_METRICS_ADDRESS: address }, EMPTY_CONFIG)).toThrow(
      `SNAPFERRY_METRICS_ADDRESS is "${address}"; expected IP:port such as 0.0.0.0:9464`,
    )
    expect(() => parseConfigFile(`worker: { metricsAddress: "${address}" }`, 'snapferry.yaml')).toThrow('expected IP:port such as 0.0.0.0:9464')
  })

  test.each(['0.0.0.0:9464', '127.0.0.1:0', '[::1]:9464', '[::]:65535'])('take %p as the address of metrics', (address) => {
    expect(resolveSettings({ ...noProfiles, SNAPFERRY_METRICS_ADDRESS: address }, EMPTY_CONFIG).worker.metricsAddress).toBe(address)
    expect(parseConfigFile(`worker: { metricsAddress: "${address}" }`, 'snapferry.yaml').worker.metricsAddress).toBe(address)
  })

  test('take no more transfers from the environment than from the file', () => {
    const transfers = (count: number) => resolveSettings({ ...noProfiles, SNAPFERRY_MAX_CONCURRENT_TRANSFERS: String(count) }, EMPTY_CONFIG).worker.maxConcurrentTransfers
    expect(transfers(256)).toBe(256)
    expect(() => transfers(257)).toThrow('SNAPFERRY_MAX_CONCURRENT_TRANSFERS is "257"; expected a whole number from 1 to 256')
    expect(() => parseConfigFile('worker: { maxConcurrentTransfers: 257 }', 'snapferry.yaml')).toThrow('256')
  })

  test('refuse a number that is none', () => {
    expect(() => resolveSettings({ ...noProfiles, SNAPFERRY_MAX_CONCURRENT_TRANSFERS: 'many' }, EMPTY_CONFIG)).toThrow(
      'SNAPFERRY_MAX_CONCURRENT_TRANSFERS is "many"',
    )
  })
})

describe('the config file', () => {
  test('is the argument, else SNAPFERRY_CONFIG, else none', async () => {
    const [given, named] = [path.join(folder, 'given.yaml'), path.join(folder, 'named.yaml')]
    await writeFile(given, 'worker: { taskQueue: given }')
    await writeFile(named, 'worker: { taskQueue: named }')
    const environment = { ...noProfiles, SNAPFERRY_CONFIG: named }
    expect((await loadSettings(environment, given)).settings.worker.taskQueuePrefix).toBe('given')
    expect(await loadSettings(environment)).toMatchObject({
      settings: { worker: { taskQueuePrefix: 'named' } },
      configPath: named,
    })
    expect((await loadSettings(noProfiles)).configPath).toBeUndefined()
  })

  test('that was named and is not there is a mistake', async () => {
    await expect(loadSettings(noProfiles, path.join(folder, 'missing.yaml'))).rejects.toMatchObject({
      type: 'InvalidConfig',
      message: expect.stringContaining('missing.yaml does not exist'),
    })
  })
})
