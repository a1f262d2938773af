/**
 * `npm run conformance`: clients that nobody here wrote bear witness to the local Azure. `npm run conformance -- NAME…` hears only
 * those; docs/conformance.md tells what each shows.
 *
 * A line for each witness; the last says `N passed, N failed`. The exit code is 0 only when nothing failed. A witness that cannot
 * be had on this machine is skipped, with the reason.
 */
import { main } from './lib/main.mjs'
import { onInterrupt } from './lib/processes.mjs'
import { prepareWorkspace } from './lib/workspace.mjs'

onInterrupt((code) => process.exit(code))
await main(async () => {
  await prepareWorkspace()
  // Its modules need the dependencies, which are there only now.
  const { WITNESSES } = await import('./conformance/witnesses.mjs')
  const { Unavailable } = await import('./conformance/tools.mjs')
  const names = process.argv.slice(2)
  const unknown = names.filter((name) => WITNESSES.every((witness) => witness.name !== name))
  if (unknown.length > 0) {
    throw new Error(`no witness ${unknown.join(', ')}; there are ${WITNESSES.map(({ name }) => name).join(', ')}`)
  }

  const tally = { passed: 0, failed: 0, skipped: 0 }
  for (const witness of WITNESSES.filter(({ name }) => names.length === 0 || names.includes(name))) {
    const outcome = await hear(witness, Unavailable)
    tally[outcome]++
  }
  const { passed, failed, skipped } = tally
  process.stdout.write(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`)
  process.exitCode = failed === 0 ? 0 : 1
})

/** Which of the tally it adds to. */
async function hear({ name, prepare, hear: testify }, Unavailable) {
  try {
    const [summary, ...details] = await testify(await prepare())
    for (const detail of details) process.stderr.write(`${detail.replaceAll(/^/gm, '  ')}\n`)
    process.stdout.write(`passed   ${name}: ${summary}\n`)
    return 'passed'
  } catch (error) {
    const outcome = error instanceof Unavailable ? 'skipped' : 'failed'
    process.stdout.write(`${outcome}  ${name}: ${error instanceof Error ? error.message : String(error)}\n`)
    return outcome
  }
}
