/** `snapferry azure`: the local Azure, for tries and tests. All arguments are its own. */
import type { Command } from 'commander'
import { BackupError, EXIT_CODES } from '../../domain/failures.ts'

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
      if (code === EXIT_CODES.usage) throw new BackupError({ type: 'InvalidArgument', message: 'the local Azure takes no such arguments; see "snapferry azure --help"' })
      if (code !== 0) throw new Error(`the local Azure ended with exit code ${code}`)
    })
}
