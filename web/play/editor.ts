/** A canvas on which curves are drawn: with mouse, pen or finger, or with the arrow keys. */
import { bump, place, stroke, valueAt } from "./curves";
import { colour, el, fitted } from "./dom";

export interface Line { values: Float32Array; colour: string; width?: number; low?: number; high?: number }

export class CurveEditor {
  readonly canvas: HTMLCanvasElement;
  low = -3;
  high = 3;
  log = false;
  unit = "";
  seconds = 1;
  /** Drawn on; its values are changed in place. */
  active: Line | undefined;
  /** Shown behind. */
  others: Line[] = [];
  /** The hand lets go: the span that changed, end excluded. */
  changed: (first: number, end: number) => void = () => {};
  private last: [number, number] | undefined;
  private span: [number, number] | undefined;
  private cursor = 0.5;
  private waiting = 0;

  constructor(label: string, small = false) {
    this.canvas = el("canvas", { className: small ? "editor small" : "editor", tabIndex: 0, role: "application",
      "aria-label": `${label}. Draw with the pointer; arrow keys left and right move the cursor, up and down bend the curve there, Enter renews the sound.` });
    this.canvas.onpointerdown = (e) => { this.canvas.setPointerCapture(e.pointerId); this.last = undefined; this.draw(e); };
    this.canvas.onpointermove = (e) => { if (e.buttons) for (const step of e.getCoalescedEvents?.() ?? [e]) this.draw(step); };
    this.canvas.onpointerup = this.canvas.onpointercancel = () => { this.last = undefined; this.finish(); };
    this.canvas.onkeydown = (e) => this.key(e);
    this.canvas.onblur = () => this.finish();
    new ResizeObserver(() => this.redraw()).observe(this.canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.redraw());
  }

  private finish(): void {
    const span = this.span;
    this.span = undefined;
    if (span) this.changed(...span);
  }

  private grow([first, end]: [number, number]): void {
    this.span = this.span ? [Math.min(this.span[0], first), Math.max(this.span[1], end)] : [first, end];
    this.redraw();
  }

  private draw(event: PointerEvent): void {
    if (!this.active) return;
    const box = this.canvas.getBoundingClientRect();
    const share = (event.clientX - box.left) / box.width;
    const level = Math.min(1, Math.max(0, 1 - (event.clientY - box.top) / box.height));
    const now: [number, number] = [share * (this.active.values.length - 1), valueAt(level, this.low, this.high, this.log)];
    this.cursor = Math.min(1, Math.max(0, share));
    this.grow(stroke(this.active.values, this.last ?? now, now));
    this.last = now;
  }

  private key(event: KeyboardEvent): void {
    if (!this.active || event.ctrlKey || event.metaKey) return;
    const { values } = this.active;
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      this.cursor = Math.min(1, Math.max(0, this.cursor + (event.key === "ArrowLeft" ? -0.02 : 0.02)));
      this.redraw();
    } else if (event.key === "ArrowUp" || event.key === "ArrowDown") {
      const shares = values.map((v) => place(v, this.low, this.high, this.log));
      const span = bump(shares, this.cursor * (values.length - 1), Math.max(2, values.length * 0.06), event.key === "ArrowUp" ? 0.05 : -0.05);
      for (let i = span[0]; i < span[1]; i++) values[i] = valueAt(Math.min(1, Math.max(0, shares[i]!)), this.low, this.high, this.log);
      this.grow(span);
    } else if (event.key === "Enter") this.finish();
    else return;
    event.preventDefault();
  }

  redraw(): void {
    this.waiting ||= requestAnimationFrame(() => { this.waiting = 0; this.paint(); });
  }

  private paint(): void {
    const [context, width, height] = fitted(this.canvas);
    if (!width) return;
    const [quiet, grid] = [colour("quiet"), colour("line")];
    context.font = "12px system-ui";
    context.lineWidth = 1;
    for (let i = 0; i <= 4; i++) {
      const y = Math.round(height * (1 - i / 4)) + (i === 4 ? 0.5 : -0.5);
      context.strokeStyle = grid;
      context.beginPath(); context.moveTo(0, y); context.lineTo(width, y); context.stroke();
      const value = valueAt(i / 4, this.low, this.high, this.log);
      context.fillStyle = quiet;
      context.fillText(`${Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(1)} ${this.unit}`, 4, i === 4 ? 13 : y - 4);
    }
    for (const line of [...this.others, ...(this.active ? [this.active] : [])]) {
      const { values, low = this.low, high = this.high } = line;
      context.strokeStyle = line.colour;
      context.lineWidth = line.width ?? (line === this.active ? 2.2 : 1);
      context.beginPath();
      let pen = false;
      for (let i = 0; i < values.length; i++) {
        const v = values[i]!;
        if (!Number.isFinite(v)) { pen = false; continue; }
        const [x, y] = [(i / Math.max(1, values.length - 1)) * width, height * (1 - place(v, low, high, this.log))];
        if (pen) context.lineTo(x, y); else context.moveTo(x, y);
        pen = true;
      }
      context.stroke();
    }
    if (document.activeElement === this.canvas) {
      context.strokeStyle = quiet;
      context.setLineDash([3, 3]);
      context.beginPath(); context.moveTo(this.cursor * width, 0); context.lineTo(this.cursor * width, height); context.stroke();
      context.setLineDash([]);
    }
    context.fillStyle = quiet;
    const end = `${this.seconds.toFixed(1)} s`;
    context.fillText(end, width - context.measureText(end).width - 4, height - 6);
  }
}
