import { expect, test } from "vitest";
import { Chance } from "../abx/random";
import { abxTable, COLUMNS, pairs, type Session } from "../abx/results";
import { guessing, holm } from "../abx/statistics";
import { plan } from "../abx/trials";

test("guessing is the binomial distribution", () => {
  expect(guessing(12, 16)).toBeCloseTo(0.0384064, 7);
  expect(guessing(0, 16)).toBe(1);
  expect(guessing(16, 16) * 2 ** 16).toBeCloseTo(1, 9);
  expect(guessing(110, 200)).toBeCloseTo(0.0894820, 7);
});

test("several pairs are corrected after Holm", () => {
  const corrected = holm([0.04, 0.01, 0.03]);
  [0.06, 0.03, 0.06].forEach((wanted, k) => expect(corrected[k]).toBeCloseTo(wanted, 12));
});

test("a plan is balanced, mixed, and the same for a seed", () => {
  const trials = plan(3, 16, 7);
  expect(trials).toEqual(plan(3, 16, 7));
  expect(trials).not.toEqual(plan(3, 16, 8));
  for (const other of [1, 2]) {
    const own = trials.filter((trial) => trial.other === other);
    expect(own.length).toBe(16);
    expect(own.filter(({ a }) => a === 0).length).toBe(8);
    for (const { a, b } of own) expect([a, b].sort()).toEqual([0, other]);
  }
  // Pairs do not come one after the other.
  expect(trials.slice(0, 16).some(({ other }) => other === 2)).toBe(true);
});

test("X is a fair coin that nothing foretells", () => {
  const all = Array.from({ length: 400 }, (_, seed) => plan(2, 16, seed)).flat();
  const share = (found: typeof all) => found.filter(({ x }) => x === "a").length / found.length;
  expect(Math.abs(share(all) - 0.5)).toBeLessThan(0.02);
  expect(Math.abs(share(all.filter(({ a }) => a === 0)) - 0.5)).toBeLessThan(0.03);
  expect(Math.abs(share(all.filter((_, k) => k % 16 && all[k - 1]!.x === "a")) - 0.5)).toBeLessThan(0.03);
});

test("all orders are equally likely", () => {
  const chance = new Chance(1);
  const counts = new Map<string, number>();
  for (let k = 0; k < 6000; k++) {
    const order = chance.shuffled([0, 1, 2]).join("");
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  expect(counts.size).toBe(6);
  for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(120);
});

test("the table survives any name", () => {
  const sound = (name: string) => ({ name, lufs: -20, gain_db: 0, own_rate: 44100 });
  const session: Session = {
    card: {
      title: "t", test: "x", sounds: [sound('a "1", b.wav'), sound("c.wav")], anchors: [], sample_rate: 44100, seconds: 1, level: -20, trials: 2,
      seed: 1, vqsynth_version: "0",
    },
    seed: 1, listener: "", date: "",
  };
  const answers = plan(2, 2, 1).map((trial) => ({ ...trial, answer: trial.x, seconds: 1, switches: 2 }));
  const lines = abxTable(session, answers).trimEnd().split("\r\n");
  expect(lines.length).toBe(4);
  expect(lines[0]).toBe(COLUMNS.join(","));
  expect(lines[1]).toContain('"a ""1"", b.wav"');
  expect(pairs(answers)).toEqual([{ other: 1, correct: 2, trials: 2, p: 0.25, corrected: 0.25 }]);
});
