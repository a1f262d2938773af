/** Instants as the disk provider writes them: seven decimals and an offset, e.g. `2026-11-22T13:40:25.1230000+00:00`. */
export function azureTime(instant: Date): string {
  return instant.toISOString().replace('Z', '0000+00:00')
}
