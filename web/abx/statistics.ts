// How likely guessing would have done as well.

/** Probability of `correct` or more of `trials` by fair guessing. */
export function guessing(correct: number, trials: number): number {
  let sum = 0;
  let logarithm = -trials * Math.LN2;
  for (let k = 0; k <= trials; k++) {
    if (k >= correct) sum += Math.exp(logarithm);
    logarithm += Math.log((trials - k) / (k + 1));
  }
  return Math.min(1, sum);
}

/** The same for several questions at once: Holm's step-down correction. */
export function holm(values: readonly number[]): number[] {
  const order = values.map((_, k) => k).sort((one, two) => values[one]! - values[two]!);
  const corrected = new Array<number>(values.length);
  let least = 0;
  order.forEach((at, rank) => {
    least = Math.max(least, Math.min(1, (values.length - rank) * values[at]!));
    corrected[at] = least;
  });
  return corrected;
}
