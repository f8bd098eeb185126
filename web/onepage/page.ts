// The one-file page: an instrument that needs nothing but this file.
import { Engine, type Meter } from "../engine/engine";
import { played, settings } from "../engine/card";
import processor from "../engine/processor.js?raw";
import EngineWorker from "../engine/worker?worker&inline";
import { CurvePanel } from "./curvepanel";
import { card as read, model, runtime } from "./inside";
import { Notes } from "./notes";
import { Recorder } from "./recorder";
import runtimeLicence from "./runtime.LICENSE?raw";
import "../parts/parts.css";
import { Controls, heard, keepsUp, PITCHED } from "../parts/controls";
import { listen, TURNED } from "../parts/midi";
import { Pad } from "../parts/pad";

const $ = <E extends HTMLElement>(id: string) => document.getElementById(id) as E;
const notice = (text: string) => ($("notice").textContent = text);

const card = read();
let engine: Engine;

document.title = `${card.name} · vqsynth`;
$("name").textContent = card.name;
$("about").textContent = card.description;
$("licence").textContent = `The model: licence ${card.licence}, made with vqsynth ${card.vqsynth_version}. It learned from:`;
$("credits").append(...card.learned_from.map((line) => Object.assign(document.createElement("li"), { textContent: line })));
$("runtime-licence").textContent = runtimeLicence;

const powerButton = $<HTMLButtonElement>("power");

async function power(wanted: boolean): Promise<void> {
  if (!engine || engine.running === wanted) return;
  if (wanted) await engine.start();
  else await engine.stop();
  powerButton.textContent = wanted ? "Sound on" : "Sound off";
  powerButton.setAttribute("aria-pressed", String(wanted));
}

powerButton.addEventListener("click", () => power(!engine.running));

const own = settings(card);
const controls = new Controls($("controls"), [...played(card).inputs, ...own], (name, value) => engine?.set(name, value));
// A held note is alive, as renders are.
for (const { name, high } of own) controls.put(name, high);

const pitch = controls.scales.get(PITCHED);
const middle = Math.round(69 + 12 * Math.log2(Math.sqrt((pitch?.low ?? 220) * (pitch?.high ?? 880)) / 440));
const notes = new Notes($("keys"), middle, $("velocity"), () => engine, power);
$("lower").addEventListener("click", () => notes.move(-1));
$("higher").addEventListener("click", () => notes.move(1));

const pad = new Pad({ canvas: $("pad"), x: $("pad-x"), y: $("pad-y"), hold: $("hold") }, controls, notes);
new CurvePanel(
  {
    canvas: $("curve"), of: $("curve-of"), on: $("curve-on"), seconds: $("curve-seconds"),
    shapes: document.querySelectorAll<HTMLButtonElement>("[data-shape]"),
  },
  // What is one number a block has no curve.
  new Map([...controls.scales].filter(([name]) => own.every((port) => port.name !== name))),
  () => engine,
);
new Recorder($("record"), $("recorded"), card.name, () => engine, power);

$("midi").addEventListener("click", async () => {
  try {
    const names = await listen({
      on: (note, velocity) => void notes.on(note, velocity),
      off: (note) => notes.off(note),
      bend: (semitones) => engine.bend(semitones),
      turn: (controller, share) => controls.turn(TURNED[controller], share),
    });
    notice(names.length ? `MIDI: ${names.join(", ")}` : "No MIDI device is there yet; plug one in.");
  } catch (error) {
    notice(`MIDI: ${(error as Error).message}`);
  }
});

function metered(meter: Meter): void {
  controls.metered(meter);
  pad.metered(meter);
  $("pad-values").textContent = `Heard: ${heard(meter)}`;
  $("load").textContent = keepsUp(meter);
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
  for (const [name, value] of controls.values) engine.set(name, value);
  powerButton.disabled = false;
  powerButton.textContent = "Sound off";
  notice("Play a key, or touch the pad.");
  // For scripts.
  Object.assign(window, { vqsynth: engine });
} catch (error) {
  powerButton.textContent = "No sound";
  notice(`This page cannot play: ${(error as Error).message}`);
}
