/** An instant as the disk provider writes it: seven decimals and an offset, `2026-11-22T13:40:25.1230000+00:00`. */
export function azureTime(instant: Date): string {
  return instant.toISOString().replace('Z', '0000+00:00')
}
