/** Thrown by a command that did what was asked and found something that nobody must miss: its result stands, and it ends with 3. */
export class Alarm extends Error {
  override readonly name = 'Alarm'
}
