/** `snapferry worker`: runs workflows and activities until it is told to stop. */
import type { Command } from 'commander'
import { defineCommand, type Host } from '../command.ts'
import { invalidArgument } from '../arguments.ts'

const PLANES = ['control', 'data'] as const

type Plane = (typeof PLANES)[number]

export function registerWorkerCommand(program: Command, host: Host): void {
  defineCommand<{ planes: string }>(program, host, {
    usage: 'worker',
    summary: 'run a worker; SIGTERM stops it, and what it was copying goes on elsewhere',
    examples: ['worker', 'worker --planes data'],
    configure: (command) =>
      command.option('--planes <list>', 'control: workflows and Azure calls; data: moves bytes', PLANES.join(',')),
    run: async ({ load }, options) => {
      const planes = parsePlanes(options.planes)
      const { settings } = await load()
      // Loaded late: the native part of the worker is of no use to any other command.
      const { runWorker } = await import('../../worker/main.ts')
      await runWorker(settings, { planes })
    },
  })
}

function parsePlanes(text: string): Plane[] {
  const planes = text.split(',').map((plane) => plane.trim())
  const known = PLANES.filter((plane) => planes.includes(plane))
  if (known.length === 0 || known.length < new Set(planes).size) {
    throw invalidArgument('--planes', text, 'expected control, data or both, separated by a comma')
  }
  return known
}
