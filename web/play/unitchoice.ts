/** Which units are played: by a lasso on the map, or by a range of what colours it; and how their values are spread. */
import { place } from "./curves";
import { choice, colour, el, fitted, labelled, number, row } from "./dom";
import type { UnitMap } from "./unitmap";

/** Whether a place lies in a polygon, by the even-odd rule. Pure. */
export function within(x: number, y: number, polygon: [number, number][]): boolean {
  let inside = false;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
    const [[ax, ay], [bx, by]] = [polygon[i]!, polygon[j]!];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  }
  return inside;
}

/** Numbers of all units for those that a map shows, every so many of them. Pure. */
export function spreadOut(ids: number[], every: number): number[] {
  return every <= 1 ? ids : ids.flatMap((id) => Array.from({ length: every }, (_, i) => id + i));
}

/** Rising numbers as text, runs as their ends: "3-5 9". Pure. */
export function asRuns(numbers: number[]): string {
  const runs: [number, number][] = [];
  for (const n of numbers) { const last = runs.at(-1); if (last && last[1] === n - 1) last[1] = n; else runs.push([n, n]); }
  return runs.map(([a, b]) => (a === b ? String(a) : `${a}-${b}`)).join(" ");
}
/** The numbers again. Pure. */
export function ofRuns(text: string): number[] {
  return text.split(" ").flatMap((run) => { const [a, b = a] = run.split("-").map(Number); return Array.from({ length: b! - a! + 1 }, (_, i) => a! + i); });
}

/** Counts of values in equal steps, of all and of the chosen; equal ratios where asked. Pure. */
export function counted(values: Float32Array, chosen: Uint8Array, low: number, high: number, log: boolean, bins: number): [Uint32Array, Uint32Array] {
  const [all, some] = [new Uint32Array(bins), new Uint32Array(bins)];
  values.forEach((v, i) => {
    if (!Number.isFinite(v)) return;
    const bin = Math.min(bins - 1, Math.max(0, Math.floor(place(v, low, high, log) * bins)));
    all[bin]!++;
    if (chosen[i]) some[bin]!++;
  });
  return [all, some];
}

const BINS = 60;

export function unitChoice(map: UnitMap, tint: HTMLSelectElement, changed: () => void): { element: HTMLElement; runs: () => string | undefined; fresh: () => void; set: (runs: string | undefined) => void } {
  const lasso = el("button", { "aria-pressed": "false" }, "Lasso");
  const mode = choice(["only", "add", "out"], ["play only these", "add these", "leave these out"]);
  const [from, to] = [number(-1e6, 1e6, 0.01, 0), number(-1e6, 1e6, 0.01, 0)];
  const range = el("button", {}, "Choose this range");
  const reset = el("button", { disabled: true }, "Play all");
  const told = el("p", { className: "values", "aria-live": "polite" });
  const histogram = el("canvas", { className: "editor small histogram", role: "img" });
  const values = () => map.column(tint.value);
  const ends = (): [number, number] => {
    const sorted = values().filter(Number.isFinite).sort();
    return [sorted[Math.floor(sorted.length * 0.01)] ?? 0, sorted[Math.floor(sorted.length * 0.99)] ?? 1];
  };

  function show(): void {
    const count = map.chosen.reduce((sum, one) => sum + one, 0);
    const all = count === map.points;
    reset.disabled = all;
    const mine = values().filter((v, i) => map.chosen[i] && Number.isFinite(v)).sort();
    const at = (share: number) => mine[Math.floor(mine.length * share)] ?? NaN;
    const text = (v: number) => (Math.abs(v) >= 100 ? v.toFixed(0) : v.toPrecision(3));
    told.textContent = all ? `All ${map.points.toLocaleString("en")} units are played; ${tint.value} from ${text(at(0.01))} to ${text(at(0.99))}.`
      : `${count.toLocaleString("en")} of ${map.points.toLocaleString("en")} units are played around; ${tint.value} from ${text(at(0.01))} to ${text(at(0.99))}.`;
    histogram.setAttribute("aria-label", `Histogram of ${tint.value}. ${told.textContent}`);
    const [low, high] = ends();
    [from.value, to.value] = [text(low), text(high)];
    map.redraw();
    paint();
  }
  function paint(): void {
    const [context, width, height] = fitted(histogram);
    if (!width || !map.points) return;
    const [low, high] = ends();
    const log = low > 0 && high / low > 3;
    const [all, some] = counted(values(), map.chosen, low, high, log, BINS);
    const most = Math.max(...all, 1);
    [all, some].forEach((counts, which) => {
      context.fillStyle = colour(which ? "accent" : "line");
      counts.forEach((n, i) => { const up = (n / most) * (height - 16); context.fillRect((i / BINS) * width, height - 14 - up, width / BINS - 1, up); });
    });
    context.fillStyle = colour("quiet");
    context.font = "12px system-ui";
    context.fillText(from.value, 2, height - 2);
    context.fillText(to.value, width - context.measureText(to.value).width - 2, height - 2);
  }
  function choose(inside: (point: number) => boolean): void {
    const was = map.chosen;
    const next = was.map((one, i) => ({ only: +inside(i), add: one | +inside(i), out: one & +!inside(i) })[mode.value as "only"]!);
    map.chosen = next.some((one) => one) ? next : was;
    show();
    if (next.some((one) => one)) changed();
    else told.textContent = "Nothing would be left to play; choose more.";
  }
  lasso.onclick = () => { map.lassoing = !map.lassoing; lasso.setAttribute("aria-pressed", String(map.lassoing)); };
  map.lassoed = (polygon) => choose((i) => within(...map.place(i), polygon));
  range.onclick = () => { const [low, high, v] = [Number(from.value), Number(to.value), values()]; choose((i) => v[i]! >= low && v[i]! <= high); };
  reset.onclick = () => { map.chosen = new Uint8Array(map.points).fill(1); show(); changed(); };
  new ResizeObserver(paint).observe(histogram);
  return {
    element: el("div", {}, row(lasso, mode, reset), row(labelled("From", from), labelled("to", to), range), told, histogram),
    runs() {
      if (!map.points || map.chosen.every((one) => one)) return undefined;
      const ids = map.column("id");
      const every = Math.max(1, Math.round((ids[Math.min(ids.length - 1, 20)]! - ids[0]!) / Math.min(ids.length - 1, 20)));
      return asRuns(spreadOut([...ids].filter((_, i) => map.chosen[i]), every > 1 && map.points > 50_000 ? every : 1));
    },
    set(runs) {
      const wanted = runs && new Set(ofRuns(runs));
      map.chosen = Uint8Array.from(map.column("id"), (id) => +(!wanted || wanted.has(id)));
      show();
    },
    fresh: show,
  };
}
