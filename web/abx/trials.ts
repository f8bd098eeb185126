// Which sounds an ABX trial has, in which order.
import { Chance } from "./random";

export interface Trial {
  /** The other sound of the pair; the first sound is in every one. */
  other: number;
  /** Sounds behind the buttons. */
  a: number;
  b: number;
  /** Which of them X is. */
  x: "a" | "b";
}

/**
 * `trials` of each pair, mixed. Which sound is A is balanced: each in half of a pair's trials. What X is, a fair coin says in
 * every trial anew: nobody can count what must be left, and the binomial distribution of guesses is exact.
 */
export function plan(sounds: number, trials: number, seed: number): Trial[] {
  const chance = new Chance(seed);
  const all: Trial[] = [];
  for (let other = 1; other < sounds; other++) {
    const odd = Number(chance.coin());
    for (let k = 0; k < trials; k++) {
      const [a, b] = (k + odd) % 2 ? [other, 0] : [0, other];
      all.push({ other, a, b, x: chance.coin() ? "a" : "b" });
    }
  }
  return chance.shuffled(all);
}
