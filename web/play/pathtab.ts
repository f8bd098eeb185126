/** The latent path as curves: bent by hand, heard as the hand lets go. */
import { floats, link, post, say, work, type Path, type Sound } from "./api";
import { History } from "./curves";
import { choice, colour, el, labelled, panel, row, slider } from "./dom";
import { CurveEditor } from "./editor";
import { modelChoice } from "./models";
import { Snapshots } from "./snapshots";
import { attempt, refresh, soundSource } from "./sounds";
import { SoundView } from "./soundview";
import { kept, receives, type Found } from "./stage";

const HUES = Array.from({ length: 16 }, (_, i) => `hsl(${(i * 47 + 10) % 360} 55% 52%)`);

interface State { model: string; source?: string; path: string; axis: number; snapshots: { name: string; path: string }[] }

export function pathTab(): { element: HTMLElement; source: SoundView; result: SoundView; undo: () => void; redo: () => void; compare: () => Promise<void> } {
  const model = modelChoice("wavae", "strings");
  const source = new SoundView("Source");
  const result = new SoundView("Result");
  [source.others, result.others] = [[result], [source]];
  const editor = new CurveEditor("Latent axes");
  editor.unit = "sd";
  const loudness = new CurveEditor("Loudness", true);
  [loudness.low, loudness.high, loudness.unit] = [-70, 0, "dB"];
  const pitch = new CurveEditor("Pitch", true);
  [pitch.low, pitch.high, pitch.log, pitch.unit] = [50, 2000, true, "Hz"];
  const controls: Record<string, CurveEditor> = { loudness, pitch };
  const history = new History<Path>();
  const decoded = new Map<string, Sound>();
  let axes: Float32Array[] = [];
  let [active, turn, seed] = [0, 0, 0];
  const shown = new Set([0, 1, 2, 3, 4, 5, 6, 7]);
  const chips = el("div", { className: "row", role: "group", "aria-label": "Axes, the widest first" });
  const axis = choice([]);
  const all = el("input", { type: "checkbox" });
  const undoing = el("button", { disabled: true }, "Undo");
  const redoing = el("button", { disabled: true }, "Redo");
  const files = el("span", {});

  function lines(): void {
    editor.others = [...shown].filter((i) => i !== active && axes[i]).map((i) => ({ values: axes[i]!, colour: HUES[i % 16]! }));
    editor.active = axes[active] && { values: axes[active]!, colour: colour("accent") };
    editor.redraw();
  }

  async function show(path: Path): Promise<void> {
    const mine = ++turn;
    const [table, given] = await Promise.all([floats(`/paths/${path.id}/axes?count=16`), floats(`/paths/${path.id}/controls`)]);
    if (mine !== turn) return;
    axes = Array.from({ length: table.length / path.frames }, (_, i) => table.slice(i * path.frames, (i + 1) * path.frames));
    for (const [name, its] of Object.entries(controls)) {
      const at = path.controls.indexOf(name);
      its.active = at < 0 ? undefined : { values: given.slice(at * path.frames, (at + 1) * path.frames), colour: colour("second") };
      its.seconds = path.seconds;
      its.redraw();
    }
    editor.seconds = path.seconds;
    if (axis.options.length !== axes.length) {
      axis.replaceChildren(...axes.map((_, i) => el("option", { value: String(i) }, `Axis ${i}`)));
      chips.replaceChildren(...axes.map((_, i) => {
        const chip = el("button", { "aria-pressed": String(shown.has(i)), "aria-label": `Show axis ${i}` }, String(i));
        chip.style.borderBottom = `3px solid ${HUES[i % 16]}`;
        chip.onclick = () => { if (!shown.delete(i)) shown.add(i); chip.setAttribute("aria-pressed", String(shown.has(i))); lines(); };
        return chip;
      }));
    }
    undoing.disabled = !history.canUndo;
    redoing.disabled = !history.canRedo;
    files.replaceChildren(...["csv", "npz", "txt"].flatMap((kind) => [el("a", { href: link(`/paths/${path.id}/path.${kind}`), download: `path.${kind}` }, `path.${kind}`), " "]));
    lines();
    let sound = decoded.get(path.id);
    if (!sound) {
      const began = performance.now();
      sound = (await work<{ sound: Sound }>(`/paths/${path.id}/decode`, { latest: "path" })).sound;
      decoded.set(path.id, sound);
      say(`Sound renewed in ${((performance.now() - began) / 1000).toFixed(2)} s. B compares it with the source.`);
    }
    if (mine === turn) { await result.show(sound); await refresh(); }
  }

  /** A new state of the path, and its sound. A call overtaken by a later one is no fault. */
  async function go(path: Path | undefined): Promise<void> {
    if (!path) return;
    try { await show(path); } catch (error) { if ((error as Error).message !== "cancelled") throw error; }
  }

  const edit = (step: object) => attempt(async () => {
    const now = history.current;
    if (!now) return say("First a sound: press Use example.");
    const { path } = await post<{ path: Path }>(`/paths/${now.id}/edit`, { steps: [step] });
    history.push(path);
    await go(path);
  });
  editor.changed = (start, end) => void edit({ op: "draw", axis: active, start, values: [...axes[active]!.slice(start, end)] });
  for (const [control, its] of Object.entries(controls))
    its.changed = (start, end) => void edit({ op: "draw", control, start, values: [...its.active!.values.slice(start, end)] });

  const encode = () => attempt(async () => {
    if (!source.sound) return;
    const { path } = await work<{ path: Path }>("/paths/encode", { model: model.value, sound: source.sound.id });
    history.clear();
    history.push(path);
    await go(path);
  });
  const take = (sound: Sound) => attempt(async () => { await source.show(sound); await encode(); });
  receives("Path", take);
  const recall = async (path: Path) => { history.push(path); await go(path); };
  const snapshots = new Snapshots<Path>({
    now: () => history.current && { state: history.current, sound: decoded.get(history.current.id) },
    recall,
    morph: async (a, b, share) => {
      // On the edge from corner A to corner B of a plane.
      const asked = { paths: [a.id, b.id, a.id, b.id], point: [share, 0], latents: true, controls: true, length: "longest" };
      await recall((await post<{ path: Path }>("/paths/mix", asked)).path);
    },
  });
  kept.set("path", {
    save() {
      const now = history.current;
      if (!now) return undefined;
      const state: State = { model: model.value, path: now.id, axis: active, source: source.sound?.id,
        snapshots: snapshots.list.map((s) => ({ name: s.name, path: s.state.id })) };
      return { state, paths: [now.id, ...state.snapshots.map((s) => s.path)], sounds: state.source ? [state.source] : [] };
    },
    async open(state: State, found: Found) {
      model.value = state.model;
      if (state.source) await source.show(await found.sound(state.source));
      history.clear();
      const was = [...state.snapshots];
      snapshots.replace(was.map((s) => ({ name: s.name, state: found.path(s.path) })));
      history.push(found.path(state.path));
      active = state.axis;
      await go(history.current);
      axis.value = String(active);
      for (const s of snapshots.list) s.sound = (await work<{ sound: Sound }>(`/paths/${s.state.id}/decode`, {})).sound;
    },
  });
  model.onchange = () => void encode();
  axis.onchange = () => { active = Number(axis.value); shown.add(active); lines(); };
  const undo = () => void attempt(() => go(history.undo()));
  const redo = () => void attempt(() => go(history.redo()));
  undoing.onclick = undo;
  redoing.onclick = redo;
  const which = () => (all.checked ? null : [active]);
  const knob = (name: string, op: string, min: number, max: number, step: number, neutral: number) => {
    const made = slider(min, max, step, neutral);
    made.onchange = () => {
      const amount = Number(made.value);
      made.value = String(neutral);
      if (amount !== neutral) void edit({ op, axes: which(), amount, ...(op === "randomize" ? { seed: seed++ } : {}) });
    };
    return labelled(name, made);
  };
  const button = (name: string, act: () => void) => { const made = el("button", {}, name); made.onclick = act; return made; };
  const erase = () => void edit({ op: "draw", axis: active, start: 0, values: Array(axes[active]?.length ?? 0).fill(0) });
  const reset = () => void attempt(async () => {
    let first = history.current;
    while (history.canUndo) first = history.undo();
    await go(first);
  });
  const element = el("div", {},
    panel("Sound", soundSource(take), row(labelled("Model", model), files)),
    el("div", { className: "two" }, source.element, result.element),
    panel("Latent path", row(labelled("Draw on", axis), undoing, redoing, button("Erase", erase), button("Reset", reset)), chips, editor.canvas,
      row(labelled("All axes", all), knob("Random", "randomize", 0, 2, 0.05, 0), knob("Scale", "scale", 0, 3, 0.05, 1), knob("Bias", "bias", -3, 3, 0.05, 0),
        knob("Smooth", "smooth", 1, 60, 1, 1), button("Reverse", () => void edit({ op: "reverse", axes: which() })))),
    el("div", { className: "two" }, panel("Loudness", loudness.canvas), panel("Pitch", pitch.canvas)), snapshots.element);
  return { element, source, result, undo, redo, compare: () => snapshots.compare() };
}
