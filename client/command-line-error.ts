/** What Commander ends with, and of which command: its own errors do not tell. */
import { CommanderError, type Command } from 'commander'

export class CommandLineError extends CommanderError {
  /** As it is typed: `snapferry restore run`. */
  readonly command: string

  constructor(command: string, { exitCode, code, message }: CommanderError) {
    super(exitCode, code, message)
    this.command = command
  }
}

/** From here on the command and those below it throw a CommandLineError where Commander would end the process. */
export function tellCommand(command: Command, parents = ''): void {
  const path = `${parents}${command.name()}`
  command.exitOverride((error) => {
    throw new CommandLineError(path, error)
  })
  for (const sub of command.commands) tellCommand(sub, `${path} `)
}
