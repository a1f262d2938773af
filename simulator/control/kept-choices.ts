import { computeSettings, type ComputeSettings, type ComputeSettingsChange } from '../compute/settings.ts'
import type { RoleAssignment, RoleTable } from '../compute/roles.ts'
import type { PrincipalDirectory } from '../identity/principals.ts'
import type { Journal } from '../state/journal.ts'

/** What the control API has set: settings, and what principals may do. Two parts of the journal. */

export interface KeptSettings {
  present(): ComputeSettings
  /** @throws ZodError for a setting that does not exist or a value out of range. */
  change(change: ComputeSettingsChange): ComputeSettings
}

/** `initial` goes before what was kept: it is what this start was asked for. */
export function createKeptSettings(journal: Journal, initial: ComputeSettingsChange): KeptSettings {
  let settings = computeSettings(initial)
  const write = journal.join<ComputeSettingsChange>({
    name: 'settings',
    apply: (kept) => void (settings = computeSettings({ ...kept, ...initial })),
    entries: () => [settings],
  })
  return {
    present: () => settings,
    change(change) {
      settings = computeSettings({ ...settings, ...change })
      write(settings)
      return settings
    },
  }
}

export interface KeptRoles {
  /** Replaces what a principal may do; makes the principal when it is new. */
  assign(principal: string, assignments: readonly RoleAssignment[]): void
}

interface RoleEntry {
  readonly principal: string
  readonly assignments: readonly RoleAssignment[]
}

export function createKeptRoles(journal: Journal, directory: PrincipalDirectory, roles: RoleTable): KeptRoles {
  const assigned = new Map<string, RoleEntry>()
  const apply = (entry: RoleEntry): void => {
    assigned.set(entry.principal, entry)
    roles.assign(directory.ensure(entry.principal).principalId, entry.assignments)
  }
  const write = journal.join<RoleEntry>({ name: 'roles', apply, entries: () => assigned.values() })
  return {
    assign(principal, assignments) {
      const entry = { principal, assignments }
      apply(entry)
      write(entry)
    },
  }
}
