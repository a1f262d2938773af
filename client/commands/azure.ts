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
      // A program of its own, which reads the arguments of its process; the product knows no more of it.
      process.argv.splice(2, Infinity, ...args)
      await import('../../simulator/main.ts')
    })
}
