/** Thrown on the way of a request: its connection ends without an answer. */
export class ConnectionDropped extends Error {
  override readonly name = 'ConnectionDropped'
}
