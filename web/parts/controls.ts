// A network's controls as sliders with units, and a light beside each descriptor that can be measured.
import type { Meter } from "../engine/engine";
import type { Port } from "../engine/card";
import { Scale } from "./scale";

/** Octaves by which a descriptor may be off and counts as reached, as in `vqsynth live`. */
const TOLERANCE = 0.1;
export const MEASURED = ["centroid", "bandwidth"] as const;
export const PITCHED = "pitch";
const NOTE = "velocity";

interface Row {
  slider: HTMLInputElement;
  output: HTMLOutputElement;
  light: HTMLElement;
  free: boolean;
}

export class Controls {
  readonly scales: Map<string, Scale>;
  /** Values that were asked for; 0 leaves a descriptor to the timbre. */
  readonly values: Map<string, number>;
  private readonly rows = new Map<string, Row>();
  private readonly means = new Map<string, { measured: number; asked: number }>();

  constructor(
    private readonly room: HTMLElement,
    ports: Port[],
    private readonly send: (name: string, value: number) => void,
  ) {
    this.scales = new Map(ports.filter((port) => port.name !== NOTE).map((port) => [port.name, new Scale(port)]));
    this.values = new Map([...this.scales.keys()].map((name) => [name, 0]));
    for (const [name, scale] of this.scales) this.build(name, scale);
  }

  put(name: string, value: number): void {
    this.values.set(name, value);
    this.send(name, value);
    this.show(name);
  }

  /** A controller of a device, 0 to 1; what the network does not have is left out. */
  turn(name: string | undefined, share: number): void {
    const scale = name && this.scales.get(name);
    if (scale) this.put(name, scale.value(share));
  }

  private build(name: string, scale: Scale): void {
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
    slider.addEventListener("input", () => this.put(name, scale.value(Number(slider.value))));
    slider.addEventListener("dblclick", () => this.put(name, 0));
    slider.addEventListener("keydown", (event) => (event.key === "Delete" || event.key === "Backspace") && this.put(name, 0));
    slider.title = free ? "double click or Delete: as the timbre has it" : "double click or Delete: 0";
    light.hidden = !MEASURED.includes(name as (typeof MEASURED)[number]);
    light.setAttribute("role", "img");
    row.append(label, slider, output, light);
    this.room.append(row);
    this.rows.set(name, { slider, output, light, free });
    this.show(name);
  }

  private show(name: string): void {
    const { slider, output, free } = this.rows.get(name)!;
    const scale = this.scales.get(name)!;
    const value = this.values.get(name)!;
    const own = free && value === 0;
    const text = own ? (name === PITCHED ? "the keys" : "its own") : scale.text(value);
    // The middle stands for what is left to the timbre.
    slider.value = own ? "0.5" : String(scale.share(value));
    slider.setAttribute("aria-valuetext", text);
    output.textContent = text;
  }

  /** Show what is heard of what was asked for. */
  metered({ measured, asked }: Meter): void {
    for (const name of MEASURED) {
      const light = this.rows.get(name)?.light;
      if (!light) continue;
      const wanted = asked[name] ?? 0;
      if (!measured || !wanted) {
        this.means.delete(name);
        light.dataset.reached = "";
        light.setAttribute("aria-label", "nothing asked for");
        continue;
      }
      // Means of about half a second, as renders are judged by.
      const old = this.means.get(name) ?? { measured: Math.log2(measured[name]), asked: Math.log2(wanted) };
      const mean = {
        measured: old.measured + 0.2 * (Math.log2(measured[name]) - old.measured),
        asked: old.asked + 0.2 * (Math.log2(wanted) - old.asked),
      };
      this.means.set(name, mean);
      const reached = Math.abs(mean.measured - mean.asked) <= TOLERANCE;
      light.dataset.reached = reached ? "yes" : "no";
      light.setAttribute("aria-label", reached ? "reached" : "not reached");
      light.title = `${wanted.toFixed(0)} Hz asked for, ${measured[name].toFixed(0)} Hz heard`;
    }
  }
}

/** What is heard, in words. */
export function heard({ measured }: Meter): string {
  return measured ? `centroid ${measured.centroid.toFixed(0)} Hz, ${measured.level.toFixed(0)} dB` : "silent";
}

/** How the machine keeps up, in words. */
export function keepsUp({ load, delay, dropouts }: Meter): string {
  const share = (100 * load.mean) / load.block;
  return (
    `${load.mean.toFixed(1)} ms a block of ${load.block.toFixed(1)} (${share.toFixed(0)} %), ` +
    `${delay.toFixed(0)} ms from key to sound, ${dropouts} dropout${dropouts === 1 ? "" : "s"}`
  );
}
