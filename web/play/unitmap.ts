/** A timbre's units as points: coloured by a descriptor, looked at by hovering, heard by clicking. */
import { bytes } from "./api";
import { colour, el, fitted } from "./dom";
import { heat } from "./heat";

export class UnitMap {
  readonly canvas = el("canvas", { className: "map", tabIndex: 0, role: "img", "aria-label": "Map of the timbre: click a point to hear it" });
  columns: string[] = [];
  points = 0;
  hover: (values: Record<string, number> | undefined) => void = () => {};
  hear: (id: number) => void = () => {};
  /** 1 for a point that is played, 0 for one that is not. */
  chosen = new Uint8Array();
  lassoing = false;
  lassoed: (polygon: [number, number][]) => void = () => {};
  private rope: [number, number][] = [];
  private table = new Float32Array();
  private shades = new Uint32Array();
  private waiting = 0;
  private near = -1;

  constructor() {
    this.canvas.onpointerdown = (e) => { if (this.lassoing) { this.canvas.setPointerCapture(e.pointerId); this.rope = [this.spot(e)]; } };
    this.canvas.onpointerup = this.canvas.onpointercancel = () => {
      const rope = this.rope;
      this.rope = [];
      if (rope.length > 2) this.lassoed(rope);
    };
    this.canvas.onpointermove = (e) => {
      if (this.rope.length) { this.rope.push(this.spot(e)); return this.redraw(); }
      const found = this.nearest(e);
      if (found !== this.near) { this.near = found; this.hover(this.values(found)); this.redraw(); }
    };
    this.canvas.onclick = () => { if (!this.lassoing && this.near >= 0) this.hear(this.at(this.near, "id")); };
    new ResizeObserver(() => this.redraw()).observe(this.canvas);
  }

  async load(path: string): Promise<void> {
    const answer = await bytes(path);
    this.columns = answer.headers.get("X-Column-Names")!.split(",");
    this.table = new Float32Array(await answer.arrayBuffer());
    this.points = this.table.length / this.columns.length;
    this.near = -1;
    this.chosen = new Uint8Array(this.points).fill(1);
  }

  /** All values of a column. Shape: -> [points] */
  column(name: string): Float32Array {
    const [wide, at] = [this.columns.length, this.columns.indexOf(name)];
    return Float32Array.from({ length: this.points }, (_, i) => this.table[i * wide + at]!);
  }
  /** Where a point lies, -1 to 1. */
  place = (point: number): [number, number] => [this.at(point, "x"), this.at(point, "y")];
  private spot(event: PointerEvent): [number, number] {
    const box = this.canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width * 2.1 - 1.05, 1.05 - (event.clientY - box.top) / box.height * 2.1];
  }

  private at = (point: number, column: string): number => this.table[point * this.columns.length + this.columns.indexOf(column)]!;
  private values(point: number): Record<string, number> | undefined {
    return point < 0 ? undefined : Object.fromEntries(this.columns.map((name) => [name, this.at(point, name)]));
  }

  /** Colour every point by the rank of its value, so that one outlier does not darken all others. */
  colourBy(column: string): void {
    const at = this.columns.indexOf(column);
    const values = Float32Array.from({ length: this.points }, (_, i) => this.table[i * this.columns.length + at]!);
    const sorted = values.filter(Number.isFinite).sort();
    const [low, high] = [sorted[Math.floor(sorted.length * 0.02)] ?? 0, sorted[Math.floor(sorted.length * 0.98)] ?? 1];
    this.shades = new Uint32Array(this.points);
    values.forEach((v, i) => {
      const [r, g, b] = Number.isFinite(v) ? heat(0.2 + 0.7 * Math.min(1, Math.max(0, (v - low) / (high - low || 1)))) : [128, 128, 128];
      this.shades[i] = 0xff000000 | (Math.round(b) << 16) | (Math.round(g) << 8) | Math.round(r);
    });
    this.redraw();
  }

  private nearest(event: PointerEvent): number {
    const [x, y] = this.spot(event);
    const [wide, cx, cy] = [this.columns.length, this.columns.indexOf("x"), this.columns.indexOf("y")];
    let [best, found] = [0.002, -1];
    for (let i = 0; i < this.points; i++) {
      const far = (this.table[i * wide + cx]! - x) ** 2 + (this.table[i * wide + cy]! - y) ** 2;
      if (far < best) [best, found] = [far, i];
    }
    return found;
  }

  redraw(): void { this.waiting ||= requestAnimationFrame(() => { this.waiting = 0; this.paint(); }); }

  private paint(): void {
    const [context] = fitted(this.canvas);
    const { width, height } = this.canvas;
    if (!width || !this.points) return;
    const image = context.createImageData(width, height);
    const pixels = new Uint32Array(image.data.buffer);
    const [wide, cx, cy] = [this.columns.length, this.columns.indexOf("x"), this.columns.indexOf("y")];
    const size = this.points > 20000 ? 2 : 4;
    const where = (i: number): [number, number] => [
      Math.round(((this.table[i * wide + cx]! + 1.05) / 2.1) * width), Math.round(((1.05 - this.table[i * wide + cy]!) / 2.1) * height)];
    for (let i = 0; i < this.points; i++) {
      const [x, y] = where(i);
      const shade = this.chosen[i] ? this.shades[i]! : 0x30808080;
      for (let dy = 0; dy < size; dy++) for (let dx = 0; dx < size; dx++)
        if (x + dx < width && y + dy < height) pixels[(y + dy) * width + x + dx] = shade;
    }
    context.putImageData(image, 0, 0);
    if (this.rope.length > 1) {
      const [wide, high] = [this.canvas.clientWidth, this.canvas.clientHeight];
      context.strokeStyle = colour("accent");
      context.lineWidth = 1.5;
      context.beginPath();
      for (const [x, y] of this.rope) context.lineTo((x + 1.05) / 2.1 * wide, (1.05 - y) / 2.1 * high);
      context.closePath(); context.stroke();
    }
    if (this.near >= 0) {
      const [x, y] = where(this.near);
      const dense = devicePixelRatio || 1;
      context.strokeStyle = getComputedStyle(this.canvas).color;
      context.lineWidth = 2;
      context.beginPath(); context.arc(x / dense, y / dense, 7, 0, 7); context.stroke();
    }
  }
}
