/** docs/operations.md as data: its tables and code blocks, so that tests can hold it against the program. */
import { readFileSync } from 'node:fs'
import { z } from 'zod'

const TEXT = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8')

/** Rows of the table whose head reads like that; cells as they stand, without backticks around them. */
export function tableOf(head: readonly string[]): string[][] {
  const lines = TEXT.split('\n')
  const start = lines.indexOf(`| ${head.join(' | ')} |`)
  if (start === -1) throw new Error(`docs/operations.md has no table of ${head.join(', ')}`)
  const rows: string[][] = []
  for (const line of lines.slice(start + 2)) {
    if (!line.startsWith('|')) break
    rows.push(
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim().replace(/^`([^`]*)`$/, '$1')),
    )
  }
  return rows
}

/** The lines of all shell blocks that begin with a command. */
export function shellLines(command: string): string[] {
  return codeBlocks('sh').flatMap((block) => block.split('\n').filter((line) => line.startsWith(`${command} `)))
}

export function codeBlocks(language: string): string[] {
  const pattern = new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gm')
  return [...TEXT.matchAll(pattern)].map(([, block = '']) => block)
}

const roleSchema = z.object({ Actions: z.array(z.string()), DataActions: z.array(z.string()) })

/** All actions of one of the custom roles, data actions included. */
export function roleActions(role: 'source' | 'target' | 'restore'): string[] {
  const [, json] = new RegExp(`<!-- role: ${role} -->\\n\`\`\`json\\n([^]*?)\`\`\``).exec(TEXT) ?? []
  if (json === undefined) throw new Error(`docs/operations.md has no role ${role}`)
  const { Actions, DataActions } = roleSchema.parse(JSON.parse(json))
  return [...Actions, ...DataActions]
}
