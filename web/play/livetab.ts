/** A timbre as an instrument: its network runs in this page, for keys, a pad and devices. */
import "../parts/parts.css";
import "./live.css";
import type { Card } from "../engine/card";
import { played, settings } from "../engine/card";
import { Engine, type Meter } from "../engine/engine";
import processor from "../engine/processor.js?url";
import runtimeLicence from "../onepage/runtime.LICENSE?raw";
import { Controls, heard, keepsUp, PITCHED } from "../parts/controls";
import { Keyboard } from "../parts/keyboard";
import { listen, TURNED } from "../parts/midi";
import { Pad } from "../parts/pad";
import { bytes, upload, work } from "./api";
import { choice, el, labelled, panel, row, slider } from "./dom";
import { modelChoice } from "./models";
import { refresh } from "./sounds";
import { SoundView } from "./soundview";

const MIDDLE = 57;

export function liveTab(): HTMLElement {
  const timbre = modelChoice("timbres", "violin");
  const load = el("button", { className: "main" }, "Load the instrument");
  const power = el("button", { "aria-pressed": "false", disabled: true }, "Sound off");
  const about = el("p", { className: "hint", "aria-live": "polite" }, "Its network is made once, then it runs in this page: no server between a key and its sound.");
  const wrong = el("p", { className: "fault", role: "alert", hidden: true });
  const padRoom = el("div", {});
  const hold = el("input", { type: "checkbox" });
  const values = el("p", { className: "values" });
  const knobs = el("div", {});
  const keys = el("div", { className: "keys", role: "group", "aria-label": "Keyboard" });
  const velocity = slider(0.1, 1, 0.01, 0.8);
  const [lower, higher] = [el("button", { "aria-label": "Octave down" }, "− octave"), el("button", { "aria-label": "Octave up" }, "+ octave")];
  const midi = el("button", {}, "MIDI device");
  const devices = el("span", { className: "values", role: "status" });
  const record = el("button", { "aria-pressed": "false" }, "Record");
  const meter = el("p", { className: "values", role: "status", "aria-live": "off" });
  const recorded = new SoundView("Recording");
  const credits = el("ul", {});
  const licence = el("p", {});
  const volume = document.getElementById("volume") as HTMLInputElement;

  let [engine, controls, plane] = [undefined as Engine | undefined, undefined as Controls | undefined, undefined as Pad | undefined];
  let lastNote = 69;
  let padNote: number | undefined;
  let takes = 0;
  let recording = false;
  const sounding = new Set<number>();
  const fault = (text = "") => { wrong.textContent = text; wrong.hidden = !text; };
  const tried = async (task: () => Promise<unknown>) => { fault(); try { await task(); } catch (error) { fault((error as Error).message); } };

  async function sound(wanted: boolean): Promise<void> {
    if (!engine || engine.running === wanted) return;
    if (wanted) await engine.start();
    else await engine.stop();
    power.textContent = wanted ? "Sound on" : "Sound off";
    power.setAttribute("aria-pressed", String(wanted));
  }

  function on(note: number, strength = Number(velocity.value)): void {
    if (!engine) return;
    lastNote = note;
    sounding.add(note);
    keyboard.show(note, true);
    engine.noteOn(note, strength);
    void tried(() => sound(true));
  }

  function off(note: number): void {
    sounding.delete(note);
    keyboard.show(note, false);
    engine?.noteOff(note);
  }

  const keyboard = new Keyboard(keys, MIDDLE - MIDDLE % 12, on, off, () => !element.hidden && engine !== undefined);
  lower.onclick = () => keyboard.move(-1);
  higher.onclick = () => keyboard.move(1);
  power.onclick = () => tried(() => sound(!engine?.running));

  function metered(now: Meter): void {
    controls?.metered(now);
    plane?.metered(now);
    values.textContent = `Heard: ${heard(now)}`;
    meter.textContent = keepsUp(now);
  }

  async function close(): Promise<void> {
    if (recording) await keep().catch(() => undefined);
    const old = engine;
    engine = undefined;
    sounding.forEach((note) => off(note));
    await old?.close();
    stage.hidden = power.disabled = true;
    power.textContent = "Sound off";
  }

  async function begin(): Promise<void> {
    if (!globalThis.isSecureContext) throw new Error("Browsers play networks only on pages of this machine: open this one at http://127.0.0.1, or over https.");
    await close();
    const name = timbre.value;
    if (!name) throw new Error("There is no timbre yet: train one.");
    about.textContent = `Making the network of ${name}`;
    const { key, card } = await work<{ key: string; card: Card }>(`/timbres/${name}/network`);
    about.textContent = "Loading the network into the page";
    const [model, wasm] = await Promise.all([`/networks/${key}.onnx`, "/runtime.wasm"].map(async (path) => (await bytes(path)).arrayBuffer()));
    const made = await Engine.load({
      card, model: model!, wasm: wasm!, processor,
      worker: () => new Worker(new URL("../engine/worker.ts", import.meta.url), { type: "module" }),
    });
    made.onmeter = metered;
    made.onfailure = fault;
    made.volume = Number(volume.value);
    // A pad of its own: what was asked of the timbre before counts no more.
    const [canvas, across, up] = [el("canvas", { className: "pad", tabIndex: 0, role: "application", "aria-label": "Pad: drag, or move with the arrow keys; the space bar sounds" }), choice([]), choice([])];
    padRoom.replaceChildren(row(labelled("Across", across), labelled("Up", up), labelled("Hold", hold)), canvas);
    knobs.replaceChildren();
    controls = new Controls(knobs, [...played(card).inputs, ...settings(card)], (control, value) => engine?.set(control, value));
    plane = new Pad({ canvas, x: across, y: up, hold }, controls, {
      begin() { padNote = lastNote; engine?.noteOn(padNote, Number(velocity.value)); void tried(() => sound(true)); },
      end() { if (padNote !== undefined && !sounding.has(padNote)) engine?.noteOff(padNote); padNote = undefined; },
    });
    const range = controls.scales.get(PITCHED);
    if (range) {
      lastNote = Math.round(69 + 12 * Math.log2(Math.sqrt(range.low * range.high) / 440));
      keyboard.begin(12 * Math.round((lastNote - 12) / 12));
    }
    about.textContent = `${card.name}: ${card.description}. Play a key, or touch the pad.`;
    licence.textContent = `The model: licence ${card.licence}. It learned from:`;
    credits.replaceChildren(...card.learned_from.map((line) => el("li", {}, line)));
    engine = made;
    stage.hidden = power.disabled = false;
    // For scripts.
    Object.assign(window, { vqsynth: made });
  }

  async function keep(): Promise<void> {
    recording = false;
    record.textContent = "Record";
    record.setAttribute("aria-pressed", "false");
    const { wav, blocks } = await engine!.finish();
    if (!blocks.length) throw new Error("Nothing was played while it recorded.");
    const made = await upload(new Blob([wav], { type: "audio/wav" }), `${engine!.card.name} live ${++takes}.wav`);
    recorded.element.hidden = false;
    await recorded.show(made);
    await refresh();
  }

  record.onclick = () => tried(async () => {
    if (recording) return keep();
    recording = true;
    record.textContent = "Stop recording";
    record.setAttribute("aria-pressed", "true");
    engine!.record();
    await sound(true);
  });
  midi.onclick = () => tried(async () => {
    const names = await listen({ on, off, bend: (semitones) => engine?.bend(semitones), turn: (controller, share) => controls?.turn(TURNED[controller], share) });
    devices.textContent = names.length ? `Listening to ${names.join(", ")}` : "No device is there yet; plug one in.";
  });
  load.onclick = () => tried(async () => {
    load.disabled = true;
    try { await begin(); } catch (error) { about.textContent = "It could not be loaded."; throw error; } finally { load.disabled = false; offer(); }
  });
  const offer = () => { load.textContent = engine ? `Load ${timbre.value}` : "Load the instrument"; load.hidden = engine?.card.name === timbre.value; };
  timbre.onchange = offer;
  volume.addEventListener("input", () => { if (engine) engine.volume = Number(volume.value); });

  recorded.element.hidden = true;
  const stage = el("div", { hidden: true },
    el("div", { className: "two" },
      panel("Pad", padRoom, values),
      el("div", {}, panel("Controls", knobs, el("p", { className: "hint" }, "Double click, or the Delete key: as the timbre has it. The light is filled while what is heard is what was asked for.")),
      panel("Keys", row(lower, higher, labelled("Velocity", velocity), midi, devices, record), keys,
      el("p", { className: "hint" }, "A W S E D F T G Y H U J K play, Z and X change the octave. A device's controllers: 1 bandwidth, 7 gain, 74 centroid."), meter))),
    recorded.element,
    el("details", {}, el("summary", {}, "Credits and licence"), licence, credits, el("p", {}, "Plays with ONNX Runtime:"), el("pre", {}, runtimeLicence)));
  const element = el("div", { className: "live" }, panel("Instrument", row(labelled("Timbre", timbre), load, power), about, wrong), stage);
  // A tab that is not seen is silent and costs nothing.
  new MutationObserver(() => { if (element.hidden) { plane?.end(); void tried(async () => { if (recording) await keep(); await sound(false); }); } })
    .observe(element, { attributes: true, attributeFilter: ["hidden"] });
  return element;
}
