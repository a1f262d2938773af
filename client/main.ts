/**
 * The command line: parses, dispatches, and turns whatever is thrown into a message and an exit code.
 *
 * Contains no logic of a backup; commands start workflows or read. `bin/snapferry.mjs` calls `main`.
 */
import { Command } from 'commander'
import { registerAzureCommand } from './commands/azure.ts'
import { registerBackupCommands } from './commands/backup.ts'
import { registerConfigCommands } from './commands/config.ts'
import { registerDrillCommands } from './commands/drill.ts'
import { registerPointsCommands } from './commands/points.ts'
import { registerPolicyCommands } from './commands/policy.ts'
import { registerRescueCommands } from './commands/rescue.ts'
import { registerVerifyCommands } from './commands/verify.ts'
import { registerRestoreCommands } from './commands/restore.ts'
import { registerRunCommands } from './commands/run.ts'
import { registerStatusCommand } from './commands/status.ts'
import { registerWorkerCommand } from './commands/worker.ts'
import { tellCommand } from './command-line-error.ts'
import { withCommonOptions, type Host } from './command.ts'
import { exitCodesHelp } from './exit-codes.ts'
import { createOutput } from './output.ts'
import { EXIT_CODES } from '../domain/failures.ts'
import { reportError } from './report-error.ts'
import { packageVersion } from './version.ts'

/**
 * Runs one command.
 *
 * @param argv without node and the script.
 * @returns the exit code; never throws for what a user or an operator can meet.
 */
export async function main(argv: readonly string[], host: Host = processHost()): Promise<number> {
  const program = createProgram(host)
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return EXIT_CODES.ok
  } catch (error) {
    // Asked of the arguments themselves: where they could not be parsed there are no options.
    return reportError(error, createOutput(host, argv.includes('--json')), argv.includes('--debug'))
  }
}

function createProgram(host: Host): Command {
  const program = new Command('snapferry')
    .description('Durable, verified backup of Azure managed disks into another region')
    .version(packageVersion())
    .enablePositionalOptions()
    .configureOutput({
      writeOut: (text) => void host.stdout.write(text),
      writeErr: (text) => void host.stderr.write(text),
      // Messages come from report-error.ts, once.
      outputError: () => undefined,
    })
  withCommonOptions(program)
  program.addHelpText('after', `\n${exitCodesHelp()}`)
  registerWorkerCommand(program, host)
  registerPolicyCommands(program, host)
  registerBackupCommands(program, host)
  registerPointsCommands(program, host)
  registerRestoreCommands(program, host)
  registerVerifyCommands(program, host)
  registerRescueCommands(program, host)
  registerDrillCommands(program, host)
  registerRunCommands(program, host)
  registerStatusCommand(program, host)
  registerConfigCommands(program, host)
  registerAzureCommand(program)
  tellCommand(program)
  return program
}

function processHost(): Host {
  return { environment: process.env, stdin: process.stdin, stdout: process.stdout, stderr: process.stderr }
}
