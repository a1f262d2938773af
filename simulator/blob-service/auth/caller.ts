/** Who makes a request, once that is proven. */
export type Caller =
  | { readonly kind: 'sharedKey' }
  | { readonly kind: 'bearer'; readonly principalId: string }
  | { readonly kind: 'sas'; readonly mayOverwrite: boolean }
  /** Holder of the SAS of a published disk or snapshot. */
  | { readonly kind: 'publication'; readonly isPrivate: boolean }

/** A create-only SAS (`c` without `w`) may not replace a blob. */
export function mayOverwrite(caller: Caller): boolean {
  return caller.kind !== 'sas' || caller.mayOverwrite
}
