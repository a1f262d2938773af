import { memoized } from '../memoized.ts'

const ofSecond = memoized((second: number) => new Date(second * 1000).toUTCString())

/** A time as HTTP headers and lists of blobs write it: whole seconds. */
export function httpTime(at: Date): string {
  return ofSecond(Math.floor(at.getTime() / 1000))
}
