/** Curves of what can be measured, played by a timbre; what was asked for against what is measured. */
import { get, say, work, type Descriptor, type Sound, type Timbre } from "./api";
import { History, place, valueAt } from "./curves";
import { choice, colour, el, labelled, number, panel, row, slider } from "./dom";
import { CurveEditor } from "./editor";
import { modelChoice } from "./models";
import { midiOf, NoteEditor, noteName, type Note } from "./noteeditor";
import { play } from "./player";
import { follow, singing } from "./sing";
import { Snapshots } from "./snapshots";
import { attempt, refresh } from "./sounds";
import { SoundView } from "./soundview";
import { kept, receives } from "./stage";
import { ofRuns, unitChoice } from "./unitchoice";
import { UnitMap } from "./unitmap";

const POINTS = 201;
/** All that a render is asked for: two that are equal sound the same. */
interface State { timbre: string; duration: number; life: number; take: number; targets: Record<string, { values: number[]; weight: number }>; notes: Note[]; only?: string | undefined }
interface Target { descriptor: Descriptor; editor: CurveEditor; weight: HTMLInputElement; section: HTMLElement }

export function curveTab(timbres: Timbre[]): { element: HTMLElement; result: SoundView; undo: () => void; redo: () => void; compare: () => Promise<void> } {
  const timbre = modelChoice("timbres", "violin");
  const result = new SoundView("Render");
  const map = new UnitMap();
  const tint = choice([]);
  const playing = unitChoice(map, tint, () => void render());
  const values = el("p", { className: "values" });
  const targets: Target[] = [];
  const list = el("div", {});
  const wanted = choice([]);
  const duration = number(1, 60, 0.5, 4);
  const life = slider(0, 1, 0.05, 1);
  const take = number(0, 99, 1, 0);
  const report = el("div", { className: "report", "aria-live": "polite" });
  let whole: Timbre = timbres[0]!;
  const history = new History<State>();
  const rendered = new Map<string, { sound: Sound; report: any }>();
  const undoing = el("button", { disabled: true }, "Undo");
  const redoing = el("button", { disabled: true }, "Redo");

  const roll = new NoteEditor();
  const velocity = slider(1, 127, 1, 90);
  const written = panel("Notes", row(labelled("Velocity", velocity)), el("p", { className: "hint" },
    "Double click makes a note; drag it, or its ends; Delete removes it. Notes that sound together are a chord. Velocity is of the chosen note."), roll.canvas);
  written.hidden = true;
  roll.changed = () => void render();
  roll.picked = () => { const note = roll.notes[roll.chosen]; if (note) velocity.value = String(note.velocity); };
  velocity.onchange = () => {
    const note = roll.notes[roll.chosen];
    if (note) { roll.set(roll.chosen, { ...note, velocity: Number(velocity.value) }); void render(); }
  };
  /** Its reach is the timbre's, its length that of the render. */
  function fitRoll(): void {
    const pitch = whole.descriptors.find((d) => d.name === "f0");
    if (pitch) [roll.low, roll.high] = [midiOf(pitch.low), midiOf(pitch.high)];
    roll.seconds = Number(duration.value);
    roll.notes = roll.notes.filter((note) => note.time < roll.seconds - 0.05).map((note) => ({ ...note,
      duration: Math.min(note.duration, roll.seconds - note.time), pitch: Math.min(roll.high, Math.max(roll.low, note.pitch)) }));
    roll.paint();
  }
  function writeNotes(): void {
    if (!whole.descriptors.some((d) => d.name === "f0")) return say(`${whole.name} has no pitch; choose another timbre.`, true);
    drop("f0");
    fitRoll();
    written.hidden = false;
    if (!roll.notes.length) {
      const middle = Math.round((roll.low + roll.high) / 2);
      roll.notes = [0, 4, 7, 12].map((step, i) => ({ time: i * roll.seconds / 4, duration: roll.seconds / 4, pitch: Math.min(roll.high, middle + step - 4), velocity: 90 }));
      say(`Four notes from ${noteName(roll.notes[0]!.pitch)} on; drag them.`);
    }
    roll.paint();
    void render();
  }
  function drop(name: string): void {
    const at = targets.findIndex((t) => t.descriptor.name === name);
    if (at >= 0) targets.splice(at, 1)[0]!.section.remove();
  }
  function put(name: string, values: number[]): void {
    add(name);
    targets.find((t) => t.descriptor.name === name)?.editor.active!.values.set(values);
  }
  async function sung(sound: Sound, what: string[]): Promise<void> {
    const asked = what.flatMap((name) => whole.descriptors.filter((d) => d.name === name));
    if (!asked.length) throw new Error("choose what of the sound is followed: pitch, loudness or brightness");
    const found = await Promise.all(asked.map((descriptor) => follow(sound, descriptor, POINTS)));
    duration.value = String(Math.min(60, Math.round(sound.seconds * 100) / 100));
    targets.splice(0).forEach((t) => t.section.remove());
    for (const { descriptor, values } of found) put(descriptor, values);
    await render();
    const octaves = found.find((f) => f.octaves)?.octaves;
    if (octaves) say(`Sung ${Math.abs(octaves)} octave${Math.abs(octaves) > 1 ? "s" : ""} ${octaves > 0 ? "higher" : "lower"}, where the timbre can play it.`);
  }
  receives("Curve", (sound) => sung(sound, ["f0", "loudness"]));

  function add(name: string): void {
    if (name === "f0") { roll.notes = []; written.hidden = true; }
    const descriptor = whole.descriptors.find((d) => d.name === name);
    if (!descriptor || targets.some((t) => t.descriptor.name === name)) return;
    const editor = new CurveEditor(`Target for ${name}`);
    editor.log = descriptor.scale === "log" && descriptor.low > 0;
    [editor.low, editor.high, editor.unit, editor.seconds] = [descriptor.low, descriptor.high, descriptor.unit, Number(duration.value)];
    const line = new Float32Array(POINTS);
    editor.active = { values: line, colour: colour("accent") };
    const fill = (shape: (t: number) => number) => {
      line.forEach((_, i) => { line[i] = valueAt(0.1 + 0.8 * shape(i / (POINTS - 1)), descriptor.low, descriptor.high, editor.log); });
      editor.redraw();
    };
    const shapes: Record<string, (t: number) => number> = {
      sin: (t) => 0.5 - 0.5 * Math.cos(4 * Math.PI * t), arch: (t) => Math.sin(Math.PI * t), rise: (t) => t, fall: (t) => 1 - t,
      log: (t) => Math.log1p(19 * t) / Math.log(20), exp: (t) => (20 ** t - 1) / 19, hold: () => 0.5 };
    fill(shapes.sin!);
    const weight = number(0.1, 10, 0.1, 1);
    const buttons = Object.entries(shapes).map(([text, shape]) => {
      const made = el("button", {}, text);
      made.onclick = () => { fill(shape); void render(); };
      return made;
    });
    const away = el("button", { "aria-label": `Remove ${name}` }, "Remove");
    const section = panel(`${name} (${descriptor.unit})`, row(...buttons, labelled("Weight", weight), away), editor.canvas);
    const target = { descriptor, editor, weight, section };
    away.onclick = () => { targets.splice(targets.indexOf(target), 1); section.remove(); };
    editor.changed = () => void render();
    targets.push(target);
    list.append(section);
  }

  const state = (): State => ({ timbre: timbre.value, duration: Number(duration.value), life: Number(life.value), take: Number(take.value),
    notes: roll.notes.map((note) => ({ ...note })), only: whole.units ? playing.runs() : undefined,
    targets: Object.fromEntries(targets.map((t) => [t.descriptor.name, { values: [...t.editor.active!.values].map((v) => Number(v.toPrecision(7))), weight: Number(t.weight.value) }])) });

  async function render(): Promise<void> {
    if (!targets.length && !roll.notes.length) return say("First add a target.");
    const now = state();
    if (JSON.stringify(now) !== JSON.stringify(history.current)) history.push(now);
    await hear(now);
  }

  /** The very sound that was made of a state, or the same made anew. */
  async function sounding(now: State): Promise<{ sound: Sound; report: any }> {
    const key = JSON.stringify(now);
    const known = rendered.get(key);
    if (known && await get(`/sounds/${known.sound.id}/curves`).catch(() => undefined)) return known;
    const named = Object.entries(now.targets);
    const got = await work<{ sound: Sound; report: any }>(`/timbres/${now.timbre}/render`, {
      targets: { ...(now.notes.length ? { f0: { notes: now.notes } } : {}),
        ...Object.fromEntries(named.map(([name, t]) => [name, { points: t.values.map((v, i) => [(i / (POINTS - 1)) * now.duration, v]) }])) },
      weights: Object.fromEntries(named.map(([name, t]) => [name, t.weight])),
      duration: now.duration, life: now.life, take: now.take, only: now.only ? ofRuns(now.only) : null, latest: "render" });
    rendered.set(key, got);
    if (rendered.size > 60) rendered.delete(rendered.keys().next().value!);
    return got;
  }

  /** Put everything as it was. */
  async function load(now: State): Promise<void> {
    if (now.timbre !== timbre.value || whole.name !== now.timbre) { timbre.value = now.timbre; await choose(); }
    [duration.value, life.value, take.value] = [String(now.duration), String(now.life), String(now.take)];
    targets.splice(0).forEach((t) => t.section.remove());
    fitRoll();
    roll.notes = now.notes.map((note) => ({ ...note }));
    roll.choose(-1);
    written.hidden = !roll.notes.length;
    playing.set(now.only);
    for (const [name, its] of Object.entries(now.targets)) {
      add(name);
      const made = targets.find((t) => t.descriptor.name === name);
      if (!made) continue;
      made.editor.active!.values.set(its.values);
      made.weight.value = String(its.weight);
    }
  }
  const recall = async (now: State) => { await load(now); await render(); };
  const step = (to: State | undefined) => attempt(async () => { if (to) { await load(to); await hear(to); } });
  const undo = () => void (history.canUndo && step(history.undo()));
  const redo = () => void (history.canRedo && step(history.redo()));
  [undoing.onclick, redoing.onclick] = [undo, redo];

  async function hear(now: State): Promise<void> {
    const seconds = now.duration;
    undoing.disabled = !history.canUndo;
    redoing.disabled = !history.canRedo;
    try {
      const got = await sounding(now);
      const curves = await get<Record<string, (number | null)[]>>(`/sounds/${got.sound.id}/curves`);
      for (const t of targets) {
        const mean = curves[`mean_${t.descriptor.name}`];
        t.editor.others = mean ? [{ values: Float32Array.from(mean, (v) => v ?? NaN), colour: colour("second"), width: 2 }] : [];
        t.editor.seconds = seconds;
        t.editor.redraw();
      }
      report.replaceChildren(el("table", {}, el("tr", {}, ...["Curve", "Correlation", "Median error", "Within reach"].map((h) => el("th", { scope: "col" }, h))),
        ...targets.map((t) => {
          const its = got.report?.descriptors?.[t.descriptor.name] ?? {};
          const good = its.mean ?? its;
          const shown = (v: unknown, per = 1, unit = "") => (typeof v === "number" ? `${(v * per).toFixed(per === 1 ? 3 : 1)}${unit}` : "–");
          return el("tr", {}, el("td", {}, t.descriptor.name), el("td", {}, shown(good.pearson)), el("td", {}, shown(good.median_relative_error, 100, " %")),
            el("td", {}, typeof its.reach_low === "number" ? `${its.reach_low.toFixed(0)} to ${its.reach_high.toFixed(0)} ${t.descriptor.unit}` : "–"));
        })));
      await result.show(got.sound);
      await refresh();
    } catch (error) { if ((error as Error).message !== "cancelled") say((error as Error).message, true); }
  }

  async function choose(): Promise<void> {
    whole = await get<Timbre & { timbre?: Timbre }>(`/models/timbres/${timbre.value}`).then((t) => t.timbre ?? t);
    const names = whole.descriptors.map((d) => d.name);
    wanted.replaceChildren(...names.map((n) => el("option", { value: n }, n)));
    const before = targets.map((t) => t.descriptor.name);
    targets.splice(0);
    list.replaceChildren();
    (before.length || roll.notes.length ? before : ["centroid"]).forEach(add);
    fitRoll();
    await map.load(`/timbres/${timbre.value}/map?kind=${whole.units ? "units" : "codes"}&layout=${whole.units ? "descriptors&x=centroid&y=f0" : "pca"}&most=100000`);
    tint.replaceChildren(...map.columns.filter((c) => !["id", "x", "y", "recording"].includes(c)).map((c) => el("option", { value: c }, c)));
    map.colourBy(tint.value);
    playing.element.hidden = !whole.units;
    playing.fresh();
  }
  tint.onchange = () => { map.colourBy(tint.value); playing.fresh(); };
  map.hover = (found) => {
    const from = found && whole.recordings?.[found.recording ?? -1];
    values.textContent = found ? Object.entries(found).filter(([k, v]) => !["x", "y", "recording"].includes(k) && Number.isFinite(v))
      .map(([k, v]) => `${k} ${Math.abs(v) >= 100 ? v.toFixed(0) : v.toFixed(2).replace(/\.00$/, "")}`).join(", ") + (from ? `; ${from.name}, ${from.licence}` : "") : "";
  };
  map.hear = (id) => void attempt(async () => {
    const got = await work<{ sound: Sound }>(`/timbres/${timbre.value}/hear`, { [whole.units ? "unit" : "code"]: id, seconds: 1 });
    await play(got.sound);
  });
  timbre.onchange = () => void attempt(choose);
  const between = (a: number, b: number, share: number) => a + share * (b - a);
  const snapshots = new Snapshots<State>({
    now: () => { const now = history.current; return now && { state: now, sound: rendered.get(JSON.stringify(now))?.sound }; },
    recall,
    async morph(a, b, share) {
      if (a.timbre !== b.timbre) throw new Error("these two are of different timbres; choose two of one");
      const shared = Object.keys(a.targets).filter((name) => b.targets[name]);
      if (!shared.length && !(a.notes.length && b.notes.length)) throw new Error("these two ask for different things; choose two with a target in common");
      const scale = (name: string) => { const d = whole.descriptors.find((its) => its.name === name)!; return [d.low, d.high, d.scale === "log" && d.low > 0] as const; };
      await load(a);
      await recall({ timbre: a.timbre, take: a.take, duration: between(a.duration, b.duration, share), life: between(a.life, b.life, share),
        notes: share < 0.5 ? a.notes : b.notes, only: share < 0.5 ? a.only : b.only,
        targets: Object.fromEntries(shared.map((name) => {
          const [low, high, log] = scale(name);
          const [from, to] = [a.targets[name]!, b.targets[name]!];
          return [name, { weight: between(from.weight, to.weight, share),
            values: from.values.map((v, i) => valueAt(between(place(v, low, high, log), place(to.values[i]!, low, high, log), share), low, high, log)) }];
        })) });
    },
  });
  kept.set("curve", {
    save() {
      const now = history.current;
      return now && { state: { now, snapshots: snapshots.list.map(({ name, state: its }) => ({ name, state: its })) }, paths: [], sounds: [] };
    },
    async open(saved: { now: State; snapshots: { name: string; state: State }[] }) {
      history.clear();
      snapshots.replace(saved.snapshots);
      await recall(saved.now);
      for (const snapshot of snapshots.list) snapshot.sound = (await sounding(snapshot.state)).sound;
    },
  });
  const notes = el("button", {}, "Write notes");
  notes.onclick = writeNotes;
  duration.onchange = () => { fitRoll(); for (const t of targets) { t.editor.seconds = Number(duration.value); t.editor.redraw(); } };
  const adding = el("button", {}, "Add target");
  adding.onclick = () => add(wanted.value);
  const go = el("button", { className: "main" }, "Render");
  go.onclick = () => void render();
  const element = el("div", {},
    panel("Timbre", row(labelled("Timbre", timbre), labelled("Duration (s)", duration), labelled("Life", life), labelled("Take", take), go, undoing, redoing),
      row(labelled("Curve of", wanted), adding, notes), el("p", { className: "hint" }, "Draw the curve; the sound is renewed as you let go. In the other colour: its measured half-second mean.")),
    el("details", { className: "panel" }, el("summary", {}, "Sing or hum it"), singing(sung)), written, list, el("div", { className: "two" }, el("div", {}, result.element, panel("Target against measured", report)),
      panel("Map", row(labelled("Colour", tint)), map.canvas, values, playing.element)), snapshots.element);
  void attempt(choose);
  return { element, result, undo, redo, compare: () => snapshots.compare() };
}
