/** A person reads these; all of them are in the details of the failure. */
const SHOWN = 10

export function describeSuspects(pointIds: readonly string[]): string {
  const more = pointIds.length > SHOWN ? ` and ${pointIds.length - SHOWN} more` : ''
  return `marked as suspect: ${pointIds.slice(0, SHOWN).join(', ')}${more}`
}
