// The one-file page: an instrument that needs nothing but this file.
import { Engine, type Meter } from "../engine/engine";
import { played } from "../engine/card";
import processor from "../engine/processor.js?raw";
import EngineWorker from "../engine/worker?worker&inline";
import { card as read, model, runtime } from "./inside";
import runtimeLicence from "./runtime.LICENSE?raw";
import { Keyboard } from "./keyboard";
import { listen } from "./midi";
import { Scale } from "./scale";
import { Surface } from "./surface";

const POINTS = 96;
/** Octaves by which a descriptor may be off and counts as reached, as in `vqsynth live`. */
const TOLERANCE = 0.1;
const MEASURED = ["centroid", "bandwidth"] as const;
const PITCHED = "pitch";

const $ = <E extends HTMLElement>(id: string) => document.getElementById(id) as E;
const notice = (text: string) => ($("notice").textContent = text);

const card = read();
const scales = new Map(played(card).inputs.filter((port) => port.name !== "velocity").map((port) => [port.name, new Scale(port)]));
const values = new Map([...scales.keys()].map((name) => [name, 0]));
const rows = new Map<string, { slider: HTMLInputElement; output: HTMLOutputElement; light: HTMLElement; free: boolean }>();
const curves = new Map<string, Float32Array>();
let engine: Engine;

document.title = `${card.name} · vqsynth`;
$("name").textContent = card.name;
$("about").textContent = card.description;
$("licence").textContent = `The model: licence ${card.licence}, made with vqsynth ${card.vqsynth_version}. It learned from:`;
$("credits").append(...card.learned_from.map((line) => Object.assign(document.createElement("li"), { textContent: line })));

$("runtime-licence").textContent = runtimeLicence;

// ---- controls ----

function put(name: string, value: number): void {
  values.set(name, value);
  engine?.set(name, value);
  show(name);
}

function show(name: string): void {
  const { slider, output, free } = rows.get(name)!;
  const scale = scales.get(name)!;
  const value = values.get(name)!;
  const own = free && value === 0;
  const text = own ? (name === PITCHED ? "the keys" : "its own") : scale.text(value);
  // The middle stands for what is left to the timbre.
  slider.value = own ? "0.5" : String(scale.share(value));
  slider.setAttribute("aria-valuetext", text);
  output.textContent = text;
}

for (const [name, scale] of scales) {
  const free = scale.low > 0 && scale.port.about.startsWith("0:");
  const row = document.createElement("div");
  const slider = Object.assign(document.createElement("input"), { type: "range", min: "0", max: "1", step: "0.001" });
  const output = document.createElement("output");
  const light = Object.assign(document.createElement("span"), { className: "light" });
  const label = Object.assign(document.createElement("label"), { textContent: name });
  row.className = "control";
  slider.id = `control-${name}`;
  label.htmlFor = slider.id;
  label.title = scale.port.about;
  slider.addEventListener("input", () => put(name, scale.value(Number(slider.value))));
  slider.addEventListener("dblclick", () => put(name, 0));
  slider.addEventListener("keydown", (event) => (event.key === "Delete" || event.key === "Backspace") && put(name, 0));
  slider.title = free ? "double click or Delete: as the timbre has it" : "double click or Delete: 0";
  light.hidden = !MEASURED.includes(name as (typeof MEASURED)[number]);
  light.setAttribute("role", "img");
  row.append(label, slider, output, light);
  $("controls").append(row);
  rows.set(name, { slider, output, light, free });
  show(name);
}

// ---- notes ----

const sounding = new Set<number>();
const PAD_NOTE = Math.round(69 + 12 * Math.log2(Math.sqrt((scales.get(PITCHED)?.low ?? 220) * (scales.get(PITCHED)?.high ?? 880)) / 440));
let lastNote = PAD_NOTE;

async function on(note: number, velocity = Number($<HTMLInputElement>("velocity").value)): Promise<void> {
  lastNote = note;
  sounding.add(note);
  keyboard.show(note, true);
  engine?.noteOn(note, velocity);
  await power(true);
}

function off(note: number): void {
  sounding.delete(note);
  keyboard.show(note, false);
  engine?.noteOff(note);
}

const keyboard = new Keyboard($("keys"), 12 * Math.round((PAD_NOTE - 12) / 12), on, off);
$("lower").addEventListener("click", () => keyboard.move(-1));
$("higher").addEventListener("click", () => keyboard.move(1));

// ---- pad ----

const axes = { x: $<HTMLSelectElement>("pad-x"), y: $<HTMLSelectElement>("pad-y") };
const place = { x: 0.5, y: 0.5 };
let padNote: number | null = null;
let measured: Meter["measured"] = null;
for (const select of [axes.x, axes.y, $<HTMLSelectElement>("curve-of")]) {
  for (const name of scales.keys()) select.append(new Option(name));
}
axes.x.value = scales.has("centroid") ? "centroid" : [...scales.keys()][0]!;
axes.y.value = scales.has(PITCHED) ? PITCHED : [...scales.keys()][1]!;

const pad = new Surface($<HTMLCanvasElement>("pad"), ({ context, width, height, colour }) => {
  context.strokeStyle = colour("line");
  for (let k = 1; k < 8; k++) {
    context.beginPath();
    context.moveTo((k * width) / 8, 0);
    context.lineTo((k * width) / 8, height);
    context.moveTo(0, (k * height) / 8);
    context.lineTo(width, (k * height) / 8);
    context.stroke();
  }
  context.font = "13px system-ui, sans-serif";
  context.fillStyle = colour("soft");
  const [across, up] = [scales.get(axes.x.value)!, scales.get(axes.y.value)!];
  context.textBaseline = "bottom";
  context.textAlign = "left";
  context.fillText(`${axes.x.value} ${across.text(across.low)}`, 8, height - 6);
  context.textAlign = "right";
  context.fillText(across.text(across.high), width - 8, height - 6);
  context.textBaseline = "top";
  context.textAlign = "left";
  context.fillText(`${axes.y.value} ${up.text(up.high)}`, 8, 8);
  const dot = (x: number, y: number, size: number, fill: boolean) => {
    context.beginPath();
    context.arc(x * width, (1 - y) * height, size, 0, 7);
    if (fill) context.fill();
    else context.stroke();
  };
  context.fillStyle = colour("accent");
  dot(place.x, place.y, 9, true);
  const sounds = (name: string, otherwise: number) =>
    measured && MEASURED.includes(name as "centroid") ? scales.get(name)!.share(measured[name as "centroid"]) : otherwise;
  if (measured) {
    context.strokeStyle = colour("ink");
    context.lineWidth = 2;
    dot(sounds(axes.x.value, place.x), sounds(axes.y.value, place.y), 15, false);
    context.lineWidth = 1;
  }
});

function padMoved(x: number, y: number): void {
  [place.x, place.y] = [x, y];
  for (const [name, share] of [[axes.x.value, x], [axes.y.value, y]] as const) put(name, scales.get(name)!.value(share));
  if (padNote === null) {
    padNote = lastNote;
    engine?.noteOn(padNote, Number($<HTMLInputElement>("velocity").value));
    void power(true);
  }
  pad.draw();
}

function padLeft(): void {
  if (padNote === null || $<HTMLInputElement>("hold").checked) return;
  if (!sounding.has(padNote)) engine?.noteOff(padNote);
  padNote = null;
  // The keys have their pitch again.
  if ([axes.x.value, axes.y.value].includes(PITCHED)) put(PITCHED, 0);
}

pad.dragged(padMoved, padLeft);
$("hold").addEventListener("change", padLeft);
for (const select of [axes.x, axes.y]) select.addEventListener("change", () => pad.draw());
pad.canvas.addEventListener("keydown", (event) => {
  const step = event.shiftKey ? 0.1 : 0.02;
  const moves: Record<string, [number, number]> = {
    ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step], " ": [0, 0],
  };
  const move = moves[event.key];
  if (!move) return;
  event.preventDefault();
  const clip = (share: number) => Math.max(0, Math.min(1, share));
  padMoved(clip(place.x + move[0]), clip(place.y + move[1]));
});
pad.canvas.addEventListener("keyup", (event) => (event.key === " " || event.key.startsWith("Arrow")) && padLeft());

// ---- curves ----

const curveOf = $<HTMLSelectElement>("curve-of");
const curveOn = $<HTMLInputElement>("curve-on");
const seconds = $<HTMLInputElement>("curve-seconds");
const looping = new Set<string>();
const shapes: Record<string, (x: number) => number> = {
  sin: (x) => 0.5 + 0.45 * Math.sin(2 * Math.PI * x),
  line: (x) => x,
  arch: (x) => Math.sin(Math.PI * x),
  steps: (x) => Math.floor(4 * x) / 3,
};
const drawn = () => {
  const known = curves.get(curveOf.value) ?? Float32Array.from({ length: POINTS }, (_, k) => shapes.sin!(k / POINTS));
  curves.set(curveOf.value, known);
  return known;
};

function sendCurve(): void {
  const name = curveOf.value;
  const scale = scales.get(name)!;
  const points = looping.has(name) ? drawn().map((share) => scale.value(share)) : null;
  engine?.curve(name, points, Math.max(0.2, Number(seconds.value) || 4));
  curve.draw();
}

const curve = new Surface($<HTMLCanvasElement>("curve"), ({ context, width, height, colour }) => {
  const points = drawn();
  const scale = scales.get(curveOf.value)!;
  context.strokeStyle = colour(looping.has(curveOf.value) ? "accent" : "soft");
  context.lineWidth = 2;
  context.beginPath();
  points.forEach((y, k) => context.lineTo((k / (POINTS - 1)) * width, (1 - y) * (height - 8) + 4));
  context.stroke();
  context.font = "12px system-ui, sans-serif";
  context.fillStyle = colour("soft");
  context.fillText(scale.text(scale.high), 6, 15);
  context.fillText(scale.text(scale.low), 6, height - 6);
});
let before: { at: number; y: number } | null = null;
curve.dragged(
  (x, y) => {
    const points = drawn();
    const at = Math.round(x * (POINTS - 1));
    const from = before ?? { at, y };
    const [low, high] = [Math.min(from.at, at), Math.max(from.at, at)];
    for (let k = low; k <= high; k++) points[k] = at === from.at ? y : from.y + ((k - from.at) / (at - from.at)) * (y - from.y);
    before = { at, y };
    looping.add(curveOf.value);
    curveOn.checked = true;
    sendCurve();
  },
  () => (before = null),
);
curveOf.addEventListener("change", () => {
  curveOn.checked = looping.has(curveOf.value);
  curve.draw();
});
curveOn.addEventListener("change", () => {
  if (curveOn.checked) looping.add(curveOf.value);
  else looping.delete(curveOf.value);
  sendCurve();
});
seconds.addEventListener("change", sendCurve);
for (const button of document.querySelectorAll<HTMLButtonElement>("[data-shape]")) {
  button.addEventListener("click", () => {
    curves.set(curveOf.value, Float32Array.from({ length: POINTS }, (_, k) => shapes[button.dataset.shape!]!(k / (POINTS - 1))));
    looping.add(curveOf.value);
    curveOn.checked = true;
    sendCurve();
  });
}

// ---- sound ----

const powerButton = $<HTMLButtonElement>("power");

async function power(wanted: boolean): Promise<void> {
  if (!engine || engine.running === wanted) return;
  if (wanted) await engine.start();
  else await engine.stop();
  powerButton.textContent = wanted ? "Sound on" : "Sound off";
  powerButton.setAttribute("aria-pressed", String(wanted));
}

powerButton.addEventListener("click", () => power(!engine.running));

let recording = false;
$("record").addEventListener("click", async () => {
  recording = !recording;
  $("record").setAttribute("aria-pressed", String(recording));
  $("record").textContent = recording ? "Stop" : "Record";
  if (recording) {
    engine.record();
    return power(true);
  }
  const { wav } = await engine.finish();
  const link = $<HTMLAnchorElement>("recorded");
  URL.revokeObjectURL(link.href);
  link.href = URL.createObjectURL(new Blob([wav], { type: "audio/wav" }));
  link.download = `${card.name}.wav`;
  link.hidden = false;
});

$("midi").addEventListener("click", async () => {
  try {
    const turned: Record<number, string> = { 1: "bandwidth", 7: "gain", 74: "centroid" };
    const names = await listen({
      on,
      off,
      bend: (semitones) => engine.bend(semitones),
      turn: (controller, share) => {
        const name = turned[controller];
        if (name && scales.has(name)) put(name, scales.get(name)!.value(share));
      },
    });
    notice(names.length ? `MIDI: ${names.join(", ")}` : "No MIDI device is there yet; plug one in.");
  } catch (error) {
    notice(`MIDI: ${(error as Error).message}`);
  }
});

const means = new Map<string, { measured: number; asked: number }>();

function metered({ load, measured: now, asked, dropouts, delay }: Meter): void {
  measured = now;
  for (const name of MEASURED) {
    const light = rows.get(name)?.light;
    if (!light) continue;
    const wanted = asked[name] ?? 0;
    if (!now || !wanted) {
      means.delete(name);
      light.dataset.reached = "";
      light.setAttribute("aria-label", "nothing asked for");
      continue;
    }
    // Means of about half a second, as renders are judged by.
    const old = means.get(name) ?? { measured: Math.log2(now[name]), asked: Math.log2(wanted) };
    const mean = {
      measured: old.measured + 0.2 * (Math.log2(now[name]) - old.measured),
      asked: old.asked + 0.2 * (Math.log2(wanted) - old.asked),
    };
    means.set(name, mean);
    const reached = Math.abs(mean.measured - mean.asked) <= TOLERANCE;
    light.dataset.reached = reached ? "yes" : "no";
    light.setAttribute("aria-label", reached ? "reached" : "not reached");
    light.title = `${wanted.toFixed(0)} Hz asked for, ${now[name].toFixed(0)} Hz heard`;
  }
  const heard = now ? `centroid ${now.centroid.toFixed(0)} Hz, ${now.level.toFixed(0)} dB` : "silent";
  $("pad-values").textContent = `Heard: ${heard}`;
  const share = (100 * load.mean) / load.block;
  $("load").textContent =
    `${load.mean.toFixed(1)} ms a block of ${load.block.toFixed(1)} (${share.toFixed(0)} %), ` +
    `${delay.toFixed(0)} ms from key to sound, ${dropouts} dropout${dropouts === 1 ? "" : "s"}`;
  pad.draw();
}

try {
  engine = await Engine.load({
    card,
    model: await model(),
    wasm: await runtime(),
    worker: () => new EngineWorker(),
    processor: `data:text/javascript,${encodeURIComponent(processor)}`,
  });
  engine.onmeter = metered;
  engine.onfailure = notice;
  for (const [name, value] of values) engine.set(name, value);
  powerButton.disabled = false;
  powerButton.textContent = "Sound off";
  notice("Play a key, or touch the pad.");
  // For scripts.
  Object.assign(window, { vqsynth: engine });
} catch (error) {
  powerButton.textContent = "No sound";
  notice(`This page cannot play: ${(error as Error).message}`);
}
