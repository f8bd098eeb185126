// A curve that is drawn and goes round, for any one control.
import type { Engine } from "../engine/engine";
import type { Scale } from "../parts/scale";
import { Surface, type Paint } from "../parts/surface";

const POINTS = 96;
const SHAPES: Record<string, (x: number) => number> = {
  sin: (x) => 0.5 + 0.45 * Math.sin(2 * Math.PI * x),
  line: (x) => x,
  arch: (x) => Math.sin(Math.PI * x),
  steps: (x) => Math.floor(4 * x) / 3,
};

export interface CurveRoom {
  canvas: HTMLCanvasElement;
  /** Which control it is of. */
  of: HTMLSelectElement;
  /** Whether it goes round. */
  on: HTMLInputElement;
  seconds: HTMLInputElement;
  /** Each has the name of a shape as its `data-shape`. */
  shapes: Iterable<HTMLButtonElement>;
}

export class CurvePanel {
  private readonly curves = new Map<string, Float32Array>();
  private readonly looping = new Set<string>();
  private readonly surface: Surface;
  private before: { at: number; y: number } | null = null;

  constructor(
    private readonly room: CurveRoom,
    private readonly scales: ReadonlyMap<string, Scale>,
    private readonly engine: () => Engine | undefined,
  ) {
    const { canvas, of, on, seconds, shapes } = room;
    of.append(...[...scales.keys()].map((name) => new Option(name)));
    this.surface = new Surface(canvas, (paint) => this.paint(paint));
    this.surface.dragged((x, y) => this.drawn(x, y), () => (this.before = null));
    of.addEventListener("change", () => {
      on.checked = this.looping.has(of.value);
      this.surface.draw();
    });
    on.addEventListener("change", () => (on.checked ? this.loop() : this.end()));
    seconds.addEventListener("change", () => this.send());
    for (const button of shapes) {
      button.addEventListener("click", () => {
        this.curves.set(of.value, shape(button.dataset.shape!));
        this.loop();
      });
    }
  }

  private get points(): Float32Array {
    const name = this.room.of.value;
    const known = this.curves.get(name) ?? shape("sin");
    this.curves.set(name, known);
    return known;
  }

  private loop(): void {
    this.looping.add(this.room.of.value);
    this.room.on.checked = true;
    this.send();
  }

  private end(): void {
    this.looping.delete(this.room.of.value);
    this.send();
  }

  private send(): void {
    const name = this.room.of.value;
    const scale = this.scales.get(name)!;
    const points = this.looping.has(name) ? this.points.map((share) => scale.value(share)) : null;
    this.engine()?.curve(name, points, Math.max(0.2, Number(this.room.seconds.value) || 4));
    this.surface.draw();
  }

  private drawn(x: number, y: number): void {
    const points = this.points;
    const at = Math.round(x * (POINTS - 1));
    const from = this.before ?? { at, y };
    const [low, high] = [Math.min(from.at, at), Math.max(from.at, at)];
    for (let k = low; k <= high; k++) points[k] = at === from.at ? y : from.y + ((k - from.at) / (at - from.at)) * (y - from.y);
    this.before = { at, y };
    this.loop();
  }

  private paint({ context, width, height, colour }: Paint): void {
    const name = this.room.of.value;
    const scale = this.scales.get(name)!;
    context.strokeStyle = colour(this.looping.has(name) ? "accent" : "soft");
    context.lineWidth = 2;
    context.beginPath();
    this.points.forEach((y, k) => context.lineTo((k / (POINTS - 1)) * width, (1 - y) * (height - 8) + 4));
    context.stroke();
    context.font = "12px system-ui, sans-serif";
    context.fillStyle = colour("soft");
    context.fillText(scale.text(scale.high), 6, 15);
    context.fillText(scale.text(scale.low), 6, height - 6);
  }
}

const shape = (name: string) => Float32Array.from({ length: POINTS }, (_, k) => SHAPES[name]!(k / (POINTS - 1)));
