/** A mel spectrogram in tiles: those that are seen are asked for, at the fineness of the screen, and drawn as they come. */
import { bytes, say, type Sound } from "./api";
import { el, fitted } from "./dom";
import { heat } from "./heat";

/** Columns that the server gives of a part, at most, and samples that one is made of, at least. */
const [COLUMNS, HOP] = [1200, 256];
/** Asked for on both sides of a tile: a frame at its edge hears beyond it. */
const MARGIN = 0.06;
const [MOST_TILES, AT_ONCE] = [48, 2];
const NEAREST_SECONDS = 0.1;
const FREQUENCIES = [100, 500, 1000, 2000, 5000, 10_000];

interface Tile { image: HTMLCanvasElement; from: number; to: number }
export interface Span { from: number; to: number }

const mel = (hz: number): number => Math.log10(1 + hz / 700);
const SHADES = Uint32Array.from({ length: 256 }, (_, level) => { const [r, g, b] = heat(level / 255).map(Math.round); return (255 << 24 | b! << 16 | g! << 8 | r!) >>> 0; });

/** Tiles of a level of fineness (0 is the whole sound, each further one halves) that a span touches. */
export function touched(span: Span, seconds: number, level: number): number[] {
  const length = seconds / 2 ** level;
  const first = Math.max(0, Math.floor(span.from / length));
  const last = Math.min(2 ** level - 1, Math.ceil(span.to / length) - 1);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, k) => first + k);
}

/** The level at which a pixel is no wider than a column, or the finest there is. */
export function fineness(span: Span, seconds: number, pixels: number, rate: number): number {
  const wanted = Math.log2((pixels / (span.to - span.from)) * seconds / COLUMNS);
  const most = Math.log2((rate / HOP) * seconds / COLUMNS);
  return Math.max(0, Math.ceil(Math.min(wanted, most) - 0.01));
}

/** Zoomed about a place (a time), within the sound. */
export function zoomed(span: Span, seconds: number, about: number, factor: number): Span {
  const length = Math.min(seconds, Math.max(Math.min(NEAREST_SECONDS, seconds), (span.to - span.from) * factor));
  const share = (about - span.from) / (span.to - span.from);
  const from = Math.min(seconds - length, Math.max(0, about - share * length));
  return { from, to: from + length };
}

export class Spectrogram {
  readonly canvas = el("canvas", { className: "mel", role: "application", tabIndex: 0 });
  span: Span = { from: 0, to: 1 };
  /** Told when another part is shown. */
  moved: (span: Span) => void = () => {};
  private sound: Sound | undefined;
  private facts = { top: 0, low: 30, high: 20_000 };
  private readonly tiles = new Map<string, Tile>();
  private readonly asked = new Set<string>();
  private waiting = 0;
  private drawing = 0;

  constructor() {
    const { canvas } = this;
    canvas.addEventListener("wheel", (e) => {
      if (!this.sound) return;
      const [length, seconds] = [this.span.to - this.span.from, this.sound.seconds];
      const along = e.shiftKey || Math.abs(e.deltaX) > Math.abs(e.deltaY) ? e.deltaX || e.deltaY : 0;
      // Where there is nothing to be done with the wheel, the page scrolls.
      if (length >= seconds && (along || e.deltaY > 0)) return;
      e.preventDefault();
      if (along) this.pan(0.001 * along * length);
      else this.look(zoomed(this.span, seconds, this.at(e), Math.exp(0.002 * Math.max(-200, Math.min(200, e.deltaY)))));
    }, { passive: false });
    let last = 0;
    canvas.onpointerdown = (e) => { canvas.setPointerCapture(e.pointerId); last = e.clientX; };
    canvas.onpointermove = (e) => {
      if (!e.buttons) return;
      this.pan(((last - e.clientX) / canvas.clientWidth) * (this.span.to - this.span.from));
      last = e.clientX;
    };
    canvas.ondblclick = () => this.whole();
    canvas.onkeydown = (e) => {
      if (!this.sound || e.ctrlKey || e.metaKey) return;
      const length = this.span.to - this.span.from;
      const middle = (this.span.from + this.span.to) / 2;
      if (e.key === "+" || e.key === "=") this.look(zoomed(this.span, this.sound.seconds, middle, 0.5));
      else if (e.key === "-") this.look(zoomed(this.span, this.sound.seconds, middle, 2));
      else if (e.key === "ArrowLeft") this.pan(-length / 8);
      else if (e.key === "ArrowRight") this.pan(length / 8);
      else if (e.key === "0" || e.key === "Home") this.whole();
      else return;
      e.preventDefault();
    };
    new ResizeObserver(() => this.redraw()).observe(canvas);
  }

  /** Show a sound, all of it; another one of the same length keeps the part that is seen. */
  async show(sound: Sound, title: string): Promise<void> {
    const before = this.sound;
    this.sound = sound;
    this.tiles.clear();
    this.asked.clear();
    this.canvas.setAttribute("aria-label", `${title}: ${sound.name}, mel spectrogram; plus and minus zoom, arrows move, 0 shows all`);
    if (!before || Math.abs(before.seconds - sound.seconds) > 0.01) this.span = { from: 0, to: sound.seconds };
    else this.span = { from: Math.min(this.span.from, sound.seconds - NEAREST_SECONDS), to: Math.min(this.span.to, sound.seconds) };
    await this.ask(0, 0);
    if (this.sound === sound) this.redraw();
  }

  /** Show a part. */
  look(span: Span, tell = true): void {
    this.span = span;
    if (tell) this.moved(span);
    this.redraw();
  }

  private whole(): void { if (this.sound) this.look({ from: 0, to: this.sound.seconds }); }
  private pan(by: number): void {
    const length = this.span.to - this.span.from;
    const from = Math.min((this.sound?.seconds ?? 0) - length, Math.max(0, this.span.from + by));
    this.look({ from, to: from + length });
  }
  private at(e: MouseEvent): number {
    return this.span.from + ((e.clientX - this.canvas.getBoundingClientRect().left) / this.canvas.clientWidth) * (this.span.to - this.span.from);
  }

  private async ask(level: number, index: number): Promise<void> {
    const sound = this.sound!;
    const key = `${level}/${index}`;
    this.asked.add(key);
    const length = sound.seconds / 2 ** level;
    const from = Math.max(0, index * length - MARGIN);
    const to = Math.min(sound.seconds, (index + 1) * length + MARGIN);
    const answer = await bytes(`/sounds/${sound.id}/mel?start=${from}&end=${to}${level ? `&top=${this.facts.top}` : ""}`);
    const levels = new Uint8Array(await answer.arrayBuffer());
    if (this.sound !== sound) return;
    const fact = (name: string) => Number(answer.headers.get(name));
    const [columns, bands] = [fact("X-Columns"), fact("X-Bands")];
    if (!level) this.facts = { top: fact("X-Top-Db"), low: fact("X-Low-Hz"), high: fact("X-High-Hz") };
    const image = el("canvas", { width: columns, height: bands });
    const pixels = new ImageData(columns, bands);
    const shades = new Uint32Array(pixels.data.buffer);
    for (let b = 0; b < bands; b++) for (let c = 0; c < columns; c++) shades[(bands - 1 - b) * columns + c] = SHADES[levels[c * bands + b]!]!;
    image.getContext("2d")!.putImageData(pixels, 0, 0);
    this.tiles.set(key, { image, from, to });
    for (const old of this.tiles.keys()) {
      if (this.tiles.size <= MOST_TILES) break;
      if (old !== "0/0") { this.tiles.delete(old); this.asked.delete(old); }
    }
  }

  /** Ask for what is seen and not there, a few at a time; what is seen by then counts, not what was seen before. */
  private fetch(level: number): void {
    const sound = this.sound!;
    for (const index of touched(this.span, sound.seconds, level)) {
      if (this.waiting >= AT_ONCE) return;
      if (this.asked.has(`${level}/${index}`)) continue;
      this.waiting++;
      this.ask(level, index).catch((error: Error) => { if (this.sound === sound) say(error.message, true); })
        .finally(() => { this.waiting--; this.redraw(); });
    }
  }

  private redraw(): void {
    if (!this.drawing) this.drawing = requestAnimationFrame(() => { this.drawing = 0; this.paint(); });
  }

  private paint(): void {
    const [context, width, height] = fitted(this.canvas);
    const sound = this.sound;
    if (!sound || !this.tiles.has("0/0") || !width) return;
    const { from, to } = this.span;
    const x = (time: number) => ((time - from) / (to - from)) * width;
    const finest = fineness(this.span, sound.seconds, this.canvas.width, sound.sample_rate);
    let complete = true;
    for (let level = 0; level <= finest; level++) for (const index of touched(this.span, sound.seconds, level)) {
      const tile = this.tiles.get(`${level}/${index}`);
      if (!tile) { complete &&= level < finest; continue; }
      // Drawn again is used again: the oldest goes first.
      if (level) { this.tiles.delete(`${level}/${index}`); this.tiles.set(`${level}/${index}`, tile); }
      const length = sound.seconds / 2 ** level;
      const [start, end] = [Math.max(from, index * length), Math.min(to, (index + 1) * length)];
      const scale = tile.image.width / (tile.to - tile.from);
      context.drawImage(tile.image, (start - tile.from) * scale, 0, Math.max(0.01, (end - start) * scale), tile.image.height, x(start), 0, x(end) - x(start), height);
    }
    this.ruler(context, width, height, x);
    Object.assign(this.canvas.dataset, { from: String(from), to: String(to), level: String(finest), complete: String(complete) });
    if (!complete) this.fetch(finest);
  }

  /** Times below, frequencies at the left. */
  private ruler(context: CanvasRenderingContext2D, width: number, height: number, x: (time: number) => number): void {
    const { from, to } = this.span;
    const step = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120].find((s) => (s / (to - from)) * width > 70) ?? 300;
    context.font = `11px ${getComputedStyle(this.canvas).fontFamily}`;
    context.lineWidth = 3;
    context.lineJoin = "round";
    [context.strokeStyle, context.fillStyle] = ["rgb(0 0 0 / .7)", "#fff"];
    const write = (text: string, left: number, base: number) => { context.strokeText(text, left, base); context.fillText(text, left, base); };
    for (let k = Math.ceil(from / step); k * step < to; k++) if (x(k * step) < width - 40) {
      context.fillRect(x(k * step), height - 4, 1, 4);
      write(`${Number((k * step).toFixed(2))} s`, x(k * step) + 3, height - 3);
    }
    const [low, high] = [mel(this.facts.low), mel(this.facts.high)];
    for (const hz of FREQUENCIES.filter((f) => f < this.facts.high)) {
      const y = height * (1 - (mel(hz) - low) / (high - low));
      if (y > 12 && y < height - 16) { context.fillRect(0, y, 4, 1); write(hz >= 1000 ? `${hz / 1000}k` : String(hz), 6, y + 4); }
    }
  }
}
