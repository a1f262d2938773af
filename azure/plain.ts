/** Plain objects without undefined fields: what `exactOptionalPropertyTypes` and request bodies ask for. */

export type Concrete<T> = Exclude<T, undefined>

type WithUndefined<T> = { [K in keyof T]: T[K] | undefined }

export function withoutUndefined<T extends object>(value: WithUndefined<T>): T {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as T
}

/** The same at every depth, of what JSON can say. */
export function withoutUndefinedWithin<T extends object>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T
}
