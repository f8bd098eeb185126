/** Notes on a canvas: a double click makes one; its body, its ends and the keys move it. */
import { place, valueAt } from "./curves";
import { colour, el, fitted } from "./dom";

export interface Note { time: number; duration: number; pitch: number; velocity: number }
const NAMES = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"];
export const noteName = (pitch: number): string => `${NAMES[pitch % 12]}${Math.floor(pitch / 12) - 1}`;
export const midiOf = (hz: number): number => Math.round(69 + 12 * Math.log2(hz / 440));
const SHORTEST = 0.05;

/** A note moved and stretched, within what there is. Pure. */
export function moved(note: Note, by: { time?: number; start?: number; end?: number; pitch?: number }, seconds: number, low: number, high: number): Note {
  let { time, duration } = note;
  if (by.time) time = Math.min(Math.max(0, time + by.time), Math.max(0, seconds - duration));
  if (by.start) { const start = Math.min(Math.max(0, time + by.start), time + duration - SHORTEST); duration += time - start; time = start; }
  if (by.end) duration = Math.min(Math.max(SHORTEST, duration + by.end), seconds - time);
  return { ...note, time, duration, pitch: Math.min(high, Math.max(low, note.pitch + (by.pitch ?? 0))) };
}

export class NoteEditor {
  readonly canvas: HTMLCanvasElement;
  notes: Note[] = [];
  seconds = 4;
  low = 48;
  high = 84;
  chosen = -1;
  /** The hand lets go of what it changed. */
  changed: () => void = () => {};
  picked: () => void = () => {};
  private grip: { part: "time" | "start" | "end"; x: number; y: number; from: Note } | undefined;
  private touched = false;

  constructor() {
    this.canvas = el("canvas", { className: "editor notes", tabIndex: 0, role: "application",
      "aria-label": "Notes. Double click, or the key N, makes a note; drag it or its ends. Page up and down choose a note, arrow keys move it, with Shift left and right its end, Delete removes it." });
    this.canvas.ondblclick = (e) => { if (this.find(e)[0] < 0) this.make(...this.at(e)); };
    this.canvas.onpointerdown = (e) => {
      const [found, part] = this.find(e);
      this.choose(found);
      if (found < 0) return;
      this.canvas.setPointerCapture(e.pointerId);
      const [x, y] = this.at(e);
      this.grip = { part, x, y, from: this.notes[found]! };
    };
    this.canvas.onpointermove = (e) => {
      if (!this.grip) { this.canvas.style.cursor = { time: "move", start: "ew-resize", end: "ew-resize" }[this.find(e)[1]] ?? "crosshair"; return; }
      const [x, y] = this.at(e);
      const by = this.grip.part === "time" ? { time: x - this.grip.x, pitch: Math.round(y) - Math.round(this.grip.y) } : { [this.grip.part]: x - this.grip.x };
      this.set(this.chosen, moved(this.grip.from, by, this.seconds, this.low, this.high));
    };
    this.canvas.onpointerup = this.canvas.onpointercancel = () => { this.grip = undefined; this.done(); };
    this.canvas.onkeydown = (e) => this.key(e);
    this.canvas.onblur = () => this.done();
    new ResizeObserver(() => this.paint()).observe(this.canvas);
  }

  make(time: number, pitch: number): void {
    this.notes.push(moved({ time, duration: Math.min(0.5, this.seconds / 4), pitch: Math.round(pitch), velocity: 90 }, { time: 1e-9 }, this.seconds, this.low, this.high));
    this.choose(this.notes.length - 1);
    this.touched = true;
    this.done();
  }
  remove(number = this.chosen): void {
    if (!this.notes[number]) return;
    this.notes.splice(number, 1);
    this.choose(Math.min(number, this.notes.length - 1));
    this.touched = true;
    this.done();
  }
  choose(number: number): void { this.chosen = number; this.picked(); this.paint(); }
  set(number: number, note: Note): void { this.notes[number] = note; this.touched = true; this.paint(); }
  private done(): void { if (this.touched) { this.touched = false; this.changed(); } }

  /** Seconds and (fractional) MIDI number of a place. */
  private at(e: PointerEvent | MouseEvent): [number, number] {
    const box = this.canvas.getBoundingClientRect();
    return [(e.clientX - box.left) / box.width * this.seconds, valueAt(1 - (e.clientY - box.top) / box.height, this.low - 0.5, this.high + 0.5, false)];
  }
  private find(e: PointerEvent | MouseEvent): [number, "time" | "start" | "end"] {
    const [x, y] = this.at(e);
    const reach = 8 / this.canvas.clientWidth * this.seconds;
    // Notes lie close: the one that is nearest in height is meant.
    let [best, far] = [-1, Math.max(0.5, 8 / this.canvas.clientHeight * (this.high - this.low + 1))];
    this.notes.forEach((n, i) => {
      const away = Math.abs(y - n.pitch);
      if (away <= far && x > n.time - reach && x < n.time + n.duration + reach) [best, far] = [i, away];
    });
    const n = this.notes[best];
    if (n) return [best, Math.abs(x - n.time - n.duration) < reach ? "end" : Math.abs(x - n.time) < reach ? "start" : "time"];
    return [-1, "time"];
  }

  private key(e: KeyboardEvent): void {
    if (e.ctrlKey || e.metaKey) return;
    const note = this.notes[this.chosen];
    const step = ({ ArrowLeft: e.shiftKey ? { end: -0.05 } : { time: -0.05 }, ArrowRight: e.shiftKey ? { end: 0.05 } : { time: 0.05 }, ArrowUp: { pitch: 1 }, ArrowDown: { pitch: -1 } } as Record<string, object>)[e.key];
    if (step && note) this.set(this.chosen, moved(note, step, this.seconds, this.low, this.high));
    else if (e.key === "Delete" || e.key === "Backspace") this.remove();
    else if (e.key.toLowerCase() === "n") this.make(note ? Math.min(note.time + note.duration, this.seconds - SHORTEST) : 0, note?.pitch ?? (this.low + this.high) / 2);
    else if (e.key === "PageDown" && this.notes.length) this.choose((this.chosen + 1) % this.notes.length);
    else if (e.key === "PageUp" && this.notes.length) this.choose((this.chosen + this.notes.length - 1) % this.notes.length);
    else if (e.key === "Enter") this.done();
    else return;
    e.preventDefault();
  }

  paint(): void {
    // For readers of the page, and what drives it.
    this.canvas.dataset.notes = JSON.stringify(this.notes);
    this.canvas.dataset.reach = `${this.low} ${this.high}`;
    const [context, width, height] = fitted(this.canvas);
    if (!width) return;
    const [bottom, top] = [this.low - 0.5, this.high + 0.5];
    const up = (pitch: number) => height * (1 - place(pitch, bottom, top, false));
    context.font = "12px system-ui";
    for (let pitch = this.low; pitch <= this.high; pitch++) {
      if (pitch % 12 && (this.high - this.low > 30 || ![2, 4, 5, 7, 9, 11].includes(pitch % 12))) continue;
      context.fillStyle = colour("line");
      context.fillRect(0, Math.round(up(pitch)), width, 1);
      if (pitch % 12 === 0) { context.fillStyle = colour("quiet"); context.fillText(noteName(pitch), 4, up(pitch) - 3); }
    }
    const thick = Math.max(8, height / (top - bottom));
    this.notes.forEach((note, i) => {
      const [x, wide] = [note.time / this.seconds * width, note.duration / this.seconds * width];
      context.globalAlpha = 0.4 + 0.6 * note.velocity / 127;
      context.fillStyle = colour(i === this.chosen ? "accent" : "second");
      context.fillRect(x, up(note.pitch) - thick / 2, Math.max(2, wide), thick);
      context.globalAlpha = 1;
      if (i === this.chosen) {
        context.fillStyle = colour("ink");
        for (const end of [x, x + wide - 3]) context.fillRect(end, up(note.pitch) - thick / 2 - 2, 3, thick + 4);
        context.fillText(`${noteName(note.pitch)}  ${note.duration.toFixed(2)} s`, x + 6, up(note.pitch) - thick / 2 - 5);
      }
    });
  }
}
