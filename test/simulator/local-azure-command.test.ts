import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LocalAzureEndpoints } from '../../simulator/azure.ts'
import { main } from '../../simulator/main.ts'
import { certificateAuthorityDirectory } from '../support/environment.ts'

/** The program in this process. It ends by the signal that it waits for, which nobody else listens to here. */

let directory: string
let printed: string
const writers: Array<{ mockRestore(): void }> = []
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'azure-command-'))
  printed = ''
  for (const stream of [process.stdout, process.stderr]) {
    writers.push(
      jest.spyOn(stream, 'write').mockImplementation((text) => {
        printed += String(text)
        return true
      }),
    )
  }
})
afterEach(() => {
  for (const writer of writers.splice(0)) writer.mockRestore()
  rmSync(directory, { recursive: true })
})

/** Runs it until `use` is done. */
async function running(args: readonly string[], use: (azure: LocalAzureEndpoints) => Promise<void>): Promise<number> {
  const readyFile = join(directory, 'ready.json')
  rmSync(readyFile, { force: true })
  const code = main(['--ca-dir', certificateAuthorityDirectory(), '--ready-file', readyFile, ...args])
  while (!printed.includes('The local Azure is ready.')) await new Promise((resolve) => setTimeout(resolve, 5))
  try {
    await use(JSON.parse(readFileSync(readyFile, 'utf8')) as LocalAzureEndpoints)
  } finally {
    process.emit('SIGTERM')
    printed = ''
  }
  return code
}

const told = async (url: string): Promise<unknown> => (await fetch(url)).json()

describe('the program', () => {
  test('keeps accounts and their blobs in its state directory', async () => {
    const args = ['--state', join(directory, 'state'), '--account', 'backups', '--container', 'backups/points']
    const disk = { name: 'disk', sizeGib: 1 }
    const post = (azure: LocalAzureEndpoints): Promise<Response> =>
      fetch(`${azure.controlEndpoint}/disks`, { method: 'POST', body: JSON.stringify(disk) })
    const first = await running(args, async (azure) => {
      expect((await post(azure)).status).toBe(200)
    })
    const second = await running(args, async (azure) => {
      expect((await post(azure)).status).toBe(409)
    })
    expect([first, second]).toEqual([0, 0])
  })

  test('takes settings, a profile and a file of faults', async () => {
    const faults = join(directory, 'faults.json')
    writeFileSync(faults, JSON.stringify([{ id: 'busy', effect: { kind: 'status', status: 503 } }]))
    const args = ['--set', 'sasPerFamily=3', '--set', 'secondGrant=refuse', '--shape', 'azure', '--faults', faults]
    await running(args, async ({ controlEndpoint }) => {
      expect(await told(`${controlEndpoint}/settings`)).toMatchObject({ sasPerFamily: 3, secondGrant: 'refuse' })
      expect(await told(`${controlEndpoint}/shaping`)).toMatchObject({ latencyMs: 15 })
      expect(await told(`${controlEndpoint}/faults`)).toMatchObject({ rules: [{ id: 'busy' }] })
    })
  })

  test.each([
    [['--port', 'x'], 'a port is a number', 2],
    [['--shape', 'fast'], "there is no profile 'fast'", 2],
    [['--set', 'sasPerFamily'], 'a setting is name=value', 2],
    [['--set', 'sasPerFamily=0'], 'sasPerFamily', 1],
    [['--set', 'unknown=1'], 'unknown', 1],
    [['--faults', '/nowhere.json'], 'nowhere.json', 1],
    [['--nonsense'], 'nonsense', 2],
  ])('refuses %j and says why', async (args, why, code) => {
    expect(await main(args)).toBe(code)
    expect(printed).toContain(why)
  })

  test('shows its options', async () => {
    expect(await main(['--help'])).toBe(0)
    expect(printed).toContain('--state <dir>')
  })
})
