/** Where the ticks of an axis stand. */

/** 1, 2 or 5 times a power of ten, so that about `count` steps lead up to `highest`. */
export function niceStep(highest: number, count: number): number {
  const rough = highest / count
  const power = 10 ** Math.floor(Math.log10(rough))
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= rough * 0.999) ?? 10 * power
}

/** From 0 on; free of the noise that adding fractions makes. */
export function ticksUpTo(highest: number, step: number): number[] {
  return Array.from({ length: Math.floor(highest / step + 1e-9) + 1 }, (_, index) => Number((index * step).toPrecision(12)))
}
