/** A model of one's own: recordings in, heard while it learns, played in every tab when it is done. */
import "./train.css";
import { get, link, post, work, type Path, type Sound } from "./api";
import { choice, colour, el, fitted, labelled, number, panel, row } from "./dom";
import { whenEvent } from "./events";
import { askModels, modelChoice, openWith, whenModels } from "./models";
import { playFile } from "./player";
import { Recordings } from "./recordings";
import { attempt, refresh } from "./sounds";
import { SoundView } from "./soundview";

interface Training {
  id: string; state: string; phase: string; share: number | null; step: number; left: number | null; name: string | null; kind: "wavae" | "timbre" | null;
  losses: Record<string, number>; history: [number, number, string][]; held_out: [number, number][]; lines: string[];
  previews: { number: number; step: number }[]; files: number; can_go_on: boolean; model: string | null; error: { error: string } | null;
}
interface Unfinished { model: "wavae" | "timbre"; name: string; state: string }

const KINDS = { wavae: "Latent path: curves to draw, transfer, feedback", timbre: "Timbre: descriptors to draw, a map, Play live" };
const LENGTHS: [string, number][] = [["2 minutes: a first sound", 2], ["10 minutes: better", 10], ["30 minutes: good", 30], ["2 hours", 120]];
const time = (seconds: number) => (seconds >= 90 ? `${Math.round(seconds / 60)} minutes` : `${Math.max(1, Math.round(seconds))} s`);

export function trainTab(): HTMLElement {
  const recordings = new Recordings();
  const name = el("input", { type: "text", maxLength: 40, value: "mine", pattern: "[a-z0-9][a-z0-9_\\-]*", autocomplete: "off", spellcheck: false });
  const kind = choice(Object.keys(KINDS), Object.values(KINDS));
  const from = { wavae: modelChoice("wavae", "base"), timbre: modelChoice("timbres") };
  const scratch = el("input", { type: "checkbox" });
  const length = choice([...LENGTHS.map(([, m]) => String(m)), "own"], [...LENGTHS.map(([text]) => text), "as long as I say"]);
  const minutes = number(0.1, 1440, 0.1, 5);
  const ownLength = labelled("Minutes", minutes);
  const [startOne, stopOne, goOn, build] = [el("button", { className: "main" }, "Train"), el("button", {}, "Stop"), el("button", { className: "main" }, "Go on"), el("button", {}, "Build from what there is")];
  const wrong = el("p", { className: "fault", role: "alert", hidden: true });
  const hint = el("p", { className: "hint" });
  const phase = el("p", { className: "phase" });
  const bar = el("progress", { max: 1, value: 0, "aria-label": "Training" });
  const chart = el("canvas", { className: "loss", role: "img" });
  const losses = el("p", { className: "values" });
  const lines = el("pre", {});
  const previews = el("ol", { className: "previews", reversed: true });
  const picture = el("img", { className: "picture", alt: "", hidden: true });
  const nothing = el("p", { className: "hint" });
  const fromRow = { wavae: labelled("Start from", from.wavae), timbre: labelled("Start from", from.timbre) };
  const running = el("div", { hidden: true }, phase, bar, chart, losses, el("details", {}, el("summary", {}, "What the training says"), lines));
  const heard = panel("3. Previews", nothing, previews, picture);
  const result = new SoundView("What it makes");
  const readyText = el("p", {});
  const readyLinks = row();
  const ready = panel("4. Your model", readyText, readyLinks, result.element);
  const unfinished = panel("Unfinished trainings");
  let now: Training | undefined;
  let shown = "";

  const fault = (text = "") => { wrong.textContent = text; wrong.hidden = !text; };
  /** What goes wrong is said here, where it was asked for. */
  const tried = async (task: () => Promise<unknown>) => { fault(); try { await task(); } catch (error) { fault((error as Error).message); } };

  function settle(): void {
    const of = kind.value as keyof typeof from;
    fromRow.wavae.hidden = of !== "wavae" || scratch.checked;
    fromRow.timbre.hidden = of !== "timbre" || scratch.checked;
    ownLength.hidden = length.value !== "own";
    const state = now?.state ?? "new";
    startOne.disabled = !recordings.seconds || state === "running";
    startOne.title = recordings.seconds ? "" : "First give it recordings";
    startOne.hidden = state === "running" || (now?.can_go_on ?? false);
    stopOne.hidden = state !== "running";
    goOn.hidden = build.hidden = !now?.can_go_on;
    for (const part of [name, kind, from.wavae, from.timbre, scratch, length, minutes]) part.disabled = state === "running" || (now?.can_go_on ?? false);
    hint.textContent = recordings.seconds || state !== "new" ? "A model that starts from another needs minutes, one that starts from nothing an hour. No graphics card is needed."
      : "First give it recordings: drop them, or press Use example.";
    running.hidden = state === "new" && !now?.phase;
    heard.hidden = running.hidden;
    ready.hidden = state !== "done";
  }

  function paint(): void {
    const [context, width, height] = fitted(chart);
    const history = now?.history ?? [];
    if (history.length < 2 || !width) return;
    context.font = "12px system-ui";
    context.lineWidth = 1.5;
    // Losses of different phases are different things: each has a scale of its own.
    for (const phase of new Set(history.map(([, , its]) => its))) {
      const points = history.filter(([, , its]) => its === phase);
      let mean = points[0]![1];
      const line = points.map(([x, y]) => [x * width, (mean += 0.25 * (y - mean))] as const);
      const values = line.map(([, y]) => y).sort((u, v) => u - v);
      const [low, high] = [values[0]!, values[Math.floor(0.98 * (values.length - 1))]!];
      context.strokeStyle = colour("accent");
      context.beginPath();
      for (const [x, y] of line) context.lineTo(x, 22 + (height - 30) * (1 - Math.min(1, (y - low) / (high - low || 1))));
      context.stroke();
      context.strokeStyle = colour("line");
      context.beginPath(); context.moveTo(line[0]![0], 0); context.lineTo(line[0]![0], height); context.stroke();
      context.fillStyle = colour("quiet");
      context.fillText(phase, line[0]![0] + 5, 14);
    }
  }
  new ResizeObserver(paint).observe(chart);

  function listen(): void {
    const all = now?.previews ?? [];
    const key = `${now?.id} ${all.map((p) => p.step).join(" ")}`;
    const last = all[all.length - 1];
    const training = now?.state === "running";
    nothing.textContent = last ? "" : training ? "The first comes with the first steps." : "Previews are made of recordings that are held out, for which these are too few: give it four files or more, or longer ones.";
    nothing.hidden = last !== undefined;
    if (key === shown) return;
    shown = key;
    previews.replaceChildren(...all.slice().reverse().map((p) => {
      const listenTo = (text: string, part: string) => {
        const made = el("button", { "aria-label": `${text}, step ${p.step}` }, text);
        made.onclick = () => tried(async () => {
          made.setAttribute("aria-pressed", "true");
          try { await playFile(`/training/${now!.id}/previews/${p.number}.wav?part=${part}`); } finally { made.removeAttribute("aria-pressed"); }
        });
        return made;
      };
      return el("li", { value: p.number }, row(el("span", {}, `Step ${p.step}`), listenTo("Play the model", "model"), listenTo("Play the recording", "recording")));
    }));
    picture.hidden = !last;
    if (last) { picture.src = link(`/training/${now!.id}/previews/${last.number}.png?step=${last.step}`); picture.alt = `Spectrograms of held-out recordings and of what the model makes of them, step ${last.step}`; }
  }

  function show(training: Training): void {
    const before = now?.id === training.id ? now.state : "";
    now = training;
    if (training.name) name.value = training.name;
    if (training.kind) kind.value = training.kind;
    const left = training.left === null ? "" : `, ${time(training.left)} of training left, then it is built`;
    phase.textContent = { running: `${training.phase}${training.step ? `, step ${training.step}` : ""}${left}`, stopped: "Stopped. All that it learned is kept.",
      failed: "It failed.", done: "Done.", new: "" }[training.state] ?? "";
    if (training.share === null && training.state === "running") bar.removeAttribute("value");
    else bar.value = training.state === "done" ? 1 : training.share ?? 0;
    const held = training.held_out.map(([, v]) => v);
    const judged = held.length ? `; on held-out recordings ${held[held.length - 1]!.toPrecision(3)}` : "";
    losses.textContent = Object.entries(training.losses).map(([what, v]) => `${what} ${v.toPrecision(3)}`).join("   ") + judged;
    lines.textContent = training.lines.join("\n");
    chart.setAttribute("aria-label", `Loss over the training${training.history.length ? `, now ${training.history[training.history.length - 1]![1].toPrecision(3)}` : ""}`);
    if (training.error) fault(training.error.error);
    paint();
    listen();
    settle();
    if (training.state === "done" && before && before !== "done") void tried(finished);
    if (before === "running" && training.state !== "running") void others();
  }

  /** The model is there: it is played at once, and everywhere. */
  async function finished(): Promise<void> {
    const [made, of] = [now!.model!, now!.kind!];
    await askModels();
    readyText.textContent = `${made} is in every tab now. This is what it makes:`;
    const to = (text: string, tab: string, models: "wavae" | "timbres") => {
      const button = el("button", {}, text);
      button.onclick = () => openWith(tab, models, made);
      return button;
    };
    if (of === "wavae") {
      readyLinks.replaceChildren(to("Draw its latent path", "path", "wavae"), to("Mix on the plane", "plane", "wavae"), to("Let it feed back", "feedback", "wavae"));
      const { path } = await post<{ path: Path }>("/paths/random", { model: made, seconds: 4, amount: 0.8 });
      await result.show((await work<{ sound: Sound }>(`/paths/${path.id}/decode`, { name: `${made}, a random path` })).sound);
    } else {
      readyLinks.replaceChildren(to("Play it live", "play-live", "timbres"), to("Draw its curves", "curve", "timbres"));
      await result.show((await work<{ sound: Sound }>(`/timbres/${made}/render`, { targets: { centroid: { shape: "arch" } }, duration: 4, name: `${made}, brightness as an arch` })).sound);
    }
    await refresh();
    await result.play();
  }

  async function others(): Promise<void> {
    const got = await get<{ sets: Training[]; unfinished: Unfinished[] }>("/training");
    const rows = got.unfinished.map((u) => {
      const button = el("button", {}, u.state === "running" ? "Watch" : "Go on");
      button.onclick = () => tried(async () => {
        const { training } = await post<{ training: Training }>("/training/open", { model: u.model, name: u.name });
        show(training);
        if (training.state !== "running") await act("resume");
        await others();
      });
      return row(el("strong", {}, u.name), el("span", {}, u.model === "wavae" ? "latent path" : "timbre"), el("span", {}, u.state === "running" ? "is training" : "was stopped"), button);
    });
    unfinished.replaceChildren(el("h2", {}, "Unfinished trainings"), ...rows);
    unfinished.hidden = !rows.length;
    const mine = got.sets.find((s) => s.id === now?.id);
    if (mine) show(mine);
  }

  const act = async (what: string) => show((await post<{ training: Training }>(`/training/${now!.id}/${what}`)).training);
  startOne.onclick = () => tried(async () => {
    if (!recordings.set) return fault("First give it recordings.");
    if (!name.reportValidity() || !minutes.reportValidity()) return;
    const seconds = 60 * Number(length.value === "own" ? minutes.value : length.value);
    const of = kind.value as "wavae" | "timbre";
    const asked = { name: name.value, seconds, model: of, from: scratch.checked ? null : from[of].value || null };
    if (now && now.id !== recordings.set) now = undefined;
    show((await post<{ training: Training }>(`/training/${recordings.set}/start`, asked)).training);
    await others();
  });
  stopOne.onclick = () => tried(async () => { await act("stop"); phase.textContent = "Stopping: it keeps what it has learned"; });
  goOn.onclick = () => tried(() => act("resume"));
  build.onclick = () => tried(() => act("finish"));
  for (const part of [kind, scratch, length]) part.onchange = settle;
  recordings.changed = () => { if (now && now.state !== "running" && now.id !== recordings.set) { now = undefined; fault(); } settle(); };
  whenModels((models) => { if (!models.wavae.some((m) => m.name === "base") && kind.value === "wavae" && !from.wavae.value) scratch.checked = true; settle(); });
  whenEvent("training", (training: Training) => { if (!now || now.id === training.id || training.state === "running") show(training); });
  for (const news of ["connected", "unfinished"]) whenEvent(news, () => void attempt(others));
  settle();
  unfinished.hidden = true;
  void attempt(others);
  return el("div", { className: "train" }, unfinished, el("div", { className: "two" }, recordings.element,
    el("div", {}, panel("2. Training", row(labelled("Name", name), labelled("What it becomes", kind)), row(fromRow.wavae, fromRow.timbre, labelled("Start from nothing", scratch)),
      row(labelled("For", length), ownLength, startOne, stopOne, goOn, build), hint, wrong, running), heard)), ready);
}
