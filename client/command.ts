/**
 * What every command has: the common options, an example in its help, the exit codes, and a context to work with.
 *
 * Commands contain no try/catch for messages: whatever they throw is reported by `main.ts`.
 */
import type { Command } from 'commander'
import { loadSettings, type Environment, type LoadedSettings } from '../config/settings.ts'
import { connectTemporal, type TemporalLink } from '../temporal/connect.ts'
import { translateTemporalError } from '../temporal/translate-error.ts'
import { exitCodesHelp } from './exit-codes.ts'
import { createOutput, type Output, type OutputStreams } from './output.ts'

/** The process as the commands see it; tests hand in their own. */
export interface Host extends OutputStreams {
  readonly environment: Environment
  /** Where answers come from; without it nobody is asked. */
  readonly stdin?: NodeJS.ReadableStream
}

export interface CommonOptions {
  readonly config?: string
  readonly json?: boolean
  readonly debug?: boolean
}

export interface CommandContext {
  readonly output: Output
  /** @throws BackupError InvalidConfig */
  readonly load: (configPath?: string) => Promise<LoadedSettings>
  /** Connects, works, closes; translates what Temporal's client throws. */
  readonly withTemporal: <Result>(
    work: (link: TemporalLink, loaded: LoadedSettings) => Promise<Result>,
    configPath?: string,
  ) => Promise<Result>
}

export interface CommandDefinition<Options> {
  /** `pause <name>`, as commander reads it. */
  readonly usage: string
  readonly summary: string
  readonly examples: readonly string[]
  readonly configure?: (command: Command) => Command
  readonly run: (context: CommandContext, options: Options & CommonOptions, args: readonly string[]) => Promise<void>
}

/** Adds a command below `parent`. `Options` names what `configure` declares. */
export function defineCommand<Options extends object = object>(
  parent: Command,
  host: Host,
  definition: CommandDefinition<Options>,
): void {
  const command = parent.command(definition.usage).description(definition.summary)
  definition.configure?.(command)
  withCommonOptions(command)
  const examples = definition.examples.map((example) => `  $ snapferry ${example}`).join('\n')
  command.addHelpText('after', `\nExample:\n${examples}\n\n${exitCodesHelp()}`)
  command.action(async () => {
    const options = command.optsWithGlobals<Options & CommonOptions>()
    await definition.run(createContext(host, options), options, command.args)
  })
}

/** On the program and on every command, so that they may stand before or behind its name. */
export function withCommonOptions(command: Command): Command {
  return command
    .option('--config <file>', 'settings and policies (default: SNAPFERRY_CONFIG, else ./snapferry.yaml)')
    .option('--json', 'one JSON value on stdout, errors included')
    .option('--debug', 'show stacks of errors')
}

function createContext(host: Host, options: CommonOptions): CommandContext {
  const load: CommandContext['load'] = (configPath) => loadSettings(host.environment, configPath ?? options.config)
  return {
    output: createOutput(host, options.json === true),
    load,
    withTemporal: async (work, configPath) => {
      const loaded = await load(configPath)
      const link = await connectTemporal(loaded.settings.temporal)
      try {
        return await work(link, loaded)
      } catch (error) {
        throw translateTemporalError(error, link) ?? error
      } finally {
        await link.close()
      }
    },
  }
}
