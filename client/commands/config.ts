/** `snapferry config`: checks snapferry.yaml, and prints its JSON Schema for editors. */
import type { Command } from 'commander'
import { DEFAULT_CONFIG_FILE } from '../../config/config-file.ts'
import { configJsonSchema } from '../../config/config-schema.ts'
import { BackupError } from '../../domain/failures.ts'
import { defineCommand, type Host } from '../command.ts'
import { plural } from '../format.ts'

export function registerConfigCommands(program: Command, host: Host): void {
  const config = program.command('config').description('check snapferry.yaml, print its schema')

  defineCommand(config, host, {
    usage: 'check [file]',
    summary: 'check the file; every mistake is shown with line, column and key',
    examples: ['config check', 'config check snapferry.yaml'],
    run: async ({ output, load }, _options, [file]) => {
      const { config: found, configPath } = await load(file)
      if (configPath === undefined) {
        throw new BackupError({
          type: 'InvalidConfig',
          message: `there is no ${DEFAULT_CONFIG_FILE} here; name a file`,
        })
      }
      for (const warning of found.warnings) output.warn(warning)
      const policies = found.policies.map(({ policy }) => policy.name)
      output.result(
        { file: configPath, policies, warnings: found.warnings },
        `${configPath} is right: ${plural(policies.length, 'policy', 'policies')}`,
      )
    },
  })

  defineCommand(config, host, {
    usage: 'schema',
    summary: 'print the JSON Schema of the file',
    examples: ['config schema > snapferry.schema.json'],
    run: async ({ output }) => {
      const schema = configJsonSchema()
      output.result(schema, JSON.stringify(schema, null, 2))
    },
  })
}
