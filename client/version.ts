/** The version in package.json, found from the sources and from dist/ alike. */
import { readFileSync } from 'node:fs'

export function packageVersion(): string {
  for (const candidate of ['../package.json', '../../package.json']) {
    try {
      const parsed: unknown = JSON.parse(readFileSync(new URL(candidate, import.meta.url), 'utf8'))
      if (typeof parsed === 'object' && parsed !== null && 'version' in parsed) return String(parsed.version)
    } catch {
      // It lies one folder further up: the compiled files are a level deeper than the sources.
    }
  }
  return 'unknown'
}
