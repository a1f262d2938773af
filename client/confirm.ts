/** Asks before something is made, where somebody is there to answer. */
import { createInterface } from 'node:readline/promises'
import { isTerminal, type OutputStreams } from './output.ts'
import { Interrupted } from './interrupt.ts'

export interface Asking extends Pick<OutputStreams, 'stderr'> {
  readonly stdin?: NodeJS.ReadableStream | undefined
}

/** Whether there is a terminal to ask on; scripts are never asked. */
export function canAsk({ stdin, stderr }: Asking): boolean {
  return stdin !== undefined && 'isTTY' in stdin && stdin.isTTY === true && isTerminal(stderr)
}

/** @throws Interrupted for any answer but yes. */
export async function confirm({ stdin, stderr }: Asking, question: string): Promise<void> {
  if (stdin === undefined) return
  const terminal = createInterface({ input: stdin, output: stderr })
  try {
    const answer = await new Promise<string>((resolve) => {
      terminal.once('close', () => resolve(''))
      void terminal.question(`${question} [y/N] `).then(resolve, () => resolve(''))
    })
    if (/^y(es)?$/i.test(answer.trim())) return
  } finally {
    terminal.close()
  }
  throw new Interrupted('nothing was made')
}
