// Results as a table: a row a trial, a row a pair, a row a rating.
import type { Card } from "./inside";
import { guessing, holm } from "./statistics";
import type { Trial } from "./trials";

export interface Answer extends Trial {
  answer: "a" | "b";
  seconds: number;
  /** How often another sound was chosen. */
  switches: number;
}

export interface Session {
  card: Card;
  seed: number;
  listener: string;
  date: string;
}

/** A further run has an order of its own, also where the seed is given: the order of the one before is known by now. */
export const again = (session: Session, runs: number): Session => ({ ...session, seed: (session.seed + runs) >>> 0 });

export interface PairResult {
  other: number;
  correct: number;
  trials: number;
  p: number;
  /** Corrected for the number of pairs. */
  corrected: number;
}

export const COLUMNS = [
  "kind", "test", "title", "listener", "date", "seed", "level_lufs", "trial", "reference", "sound", "a", "b", "x", "answer", "correct",
  "trials", "planned", "p", "p_holm", "rating", "seconds", "switches",
] as const;
type Row = Partial<Record<(typeof COLUMNS)[number], string | number>>;

export const right = (answer: Answer) => answer.answer === answer.x;

/** What each pair came to; pairs without an answer are left out. */
export function pairs(answers: readonly Answer[]): PairResult[] {
  const others = [...new Set(answers.map(({ other }) => other))].sort((one, two) => one - two);
  const found = others.map((other) => {
    const own = answers.filter((answer) => answer.other === other);
    const correct = own.filter(right).length;
    return { other, correct, trials: own.length, p: guessing(correct, own.length), corrected: 1 };
  });
  holm(found.map(({ p }) => p)).forEach((corrected, k) => (found[k]!.corrected = corrected));
  return found;
}

export function abxTable(session: Session, answers: readonly Answer[]): string {
  const name = (number: number) => session.card.sounds[number]!.name;
  const rows: Row[] = answers.map((answer, k) => ({
    kind: "trial", trial: k + 1, reference: name(0), sound: name(answer.other), a: name(answer.a), b: name(answer.b), x: name(answer[answer.x]),
    answer: name(answer[answer.answer]), correct: Number(right(answer)), seconds: answer.seconds.toFixed(1), switches: answer.switches,
  }));
  for (const { other, correct, trials, p, corrected } of pairs(answers)) {
    rows.push({
      kind: "pair", reference: name(0), sound: name(other), correct, trials, planned: session.card.trials, p: p.toPrecision(6),
      p_holm: corrected.toPrecision(6),
    });
  }
  return table(session, rows);
}

export function ratingTable(session: Session, rated: readonly { name: string; rating: number; place: number }[], seconds: number, switches: number): string {
  const reference = session.card.sounds[0]!.name;
  return table(session, rated.map(({ name, rating, place }) => ({
    kind: "rating", trial: place, reference, sound: name, rating, seconds: seconds.toFixed(1), switches,
  })));
}

function table({ card, seed, listener, date }: Session, rows: readonly Row[]): string {
  const common: Row = { test: card.test, title: card.title, listener, date, seed, level_lufs: card.level === null ? "as they are" : card.level.toFixed(2) };
  const cell = (value: string | number = "") => (/[",\r\n]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : String(value));
  const lines = [COLUMNS.join(","), ...rows.map((row) => COLUMNS.map((column) => cell({ ...common, ...row }[column])).join(","))];
  return lines.join("\r\n") + "\r\n";
}
