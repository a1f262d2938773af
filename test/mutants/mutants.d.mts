export interface Mutant {
  readonly name: string
  readonly file: string
  readonly find: string
  readonly replace: string
  readonly tests: string
  readonly titles?: string
}

export declare const MUTANTS: readonly Mutant[]
