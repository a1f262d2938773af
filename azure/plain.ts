/** Plain objects without undefined fields: what `exactOptionalPropertyTypes` and request bodies ask for. */

export type Concrete<T> = Exclude<T, undefined>

type WithUndefined<T> = { [K in keyof T]: T[K] | undefined }

export function withoutUndefined<T extends object>(value: WithUndefined<T>): T {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as T
}

/** An answer whose fields are null where it could have left them out; dates and the like stay as they are. */
export function withoutNulls<T>(value: T): T {
  if (Array.isArray(value)) return value.map((item: unknown) => withoutNulls(item)) as T
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value
  return Object.fromEntries(Object.entries(value).flatMap(([name, field]) => (field === null ? [] : [[name, withoutNulls(field as unknown)]]))) as T
}

/** The same at every depth, of what JSON can say. */
export function withoutUndefinedWithin<T extends object>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T
}
