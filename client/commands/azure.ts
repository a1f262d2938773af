/** `snapferry azure`: the local Azure, for tries and tests. All arguments are its own. */
import type { Command } from 'commander'

export function registerAzureCommand(program: Command): void {
  program
    .command('azure [args...]')
    .description('run the local Azure; "snapferry azure --help" shows its options')
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .action(async (args: string[]) => {
      const { main } = await import('../../simulator/main.ts')
      const code = await main(args)
      if (code !== 0) throw new Error(`the local Azure ended with exit code ${code}`)
    })
}
