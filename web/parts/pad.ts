// A pad for any two controls: the dot is what is asked for, the ring what is heard.
import type { Meter } from "../engine/engine";
import { MEASURED, PITCHED, type Controls } from "./controls";
import { Surface } from "./surface";

export interface PadRoom {
  canvas: HTMLCanvasElement;
  x: HTMLSelectElement;
  y: HTMLSelectElement;
  /** Whether the sound goes on when the hand lets go. */
  hold: HTMLInputElement;
}

/** What the pad starts and ends. */
export interface PadNotes {
  begin(): void;
  end(): void;
}

export class Pad {
  private readonly place = { x: 0.5, y: 0.5 };
  private readonly surface: Surface;
  private sounding = false;
  private measured: Meter["measured"] = null;

  constructor(
    private readonly room: PadRoom,
    private readonly controls: Controls,
    private readonly notes: PadNotes,
  ) {
    const { canvas, x, y, hold } = room;
    const scales = controls.scales;
    for (const select of [x, y]) {
      select.replaceChildren(...[...scales].map(([name, scale]) => new Option(scale.port.unit ? `${name} (${scale.port.unit})` : name, name)));
      select.addEventListener("change", () => this.surface.draw());
    }
    x.value = scales.has("centroid") ? "centroid" : [...scales.keys()][0]!;
    y.value = scales.has(PITCHED) ? PITCHED : [...scales.keys()][1]!;
    this.surface = new Surface(canvas, (paint) => this.paint(paint));
    this.surface.dragged((across, up) => this.moved(across, up), () => this.left());
    hold.addEventListener("change", () => this.left());
    canvas.addEventListener("keydown", (event) => {
      const step = event.shiftKey ? 0.1 : 0.02;
      const moves: Record<string, [number, number]> = {
        ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step], " ": [0, 0],
      };
      const move = moves[event.key];
      if (!move) return;
      event.preventDefault();
      const clip = (share: number) => Math.max(0, Math.min(1, share));
      this.moved(clip(this.place.x + move[0]), clip(this.place.y + move[1]));
    });
    canvas.addEventListener("keyup", (event) => (event.key === " " || event.key.startsWith("Arrow")) && this.left());
  }

  metered({ measured }: Meter): void {
    this.measured = measured;
    this.surface.draw();
  }

  /** All is let go of. */
  end(): void {
    if (!this.sounding) return;
    this.sounding = false;
    this.notes.end();
    // The keys have their pitch again.
    if ([this.room.x.value, this.room.y.value].includes(PITCHED)) this.controls.put(PITCHED, 0);
  }

  private moved(x: number, y: number): void {
    [this.place.x, this.place.y] = [x, y];
    const { scales } = this.controls;
    for (const [name, share] of [[this.room.x.value, x], [this.room.y.value, y]] as const) {
      this.controls.put(name, scales.get(name)!.value(share));
    }
    if (!this.sounding) {
      this.sounding = true;
      this.notes.begin();
    }
    this.surface.draw();
  }

  private left(): void {
    if (!this.room.hold.checked) this.end();
  }

  private paint({ context, width, height, colour }: Parameters<ConstructorParameters<typeof Surface>[1]>[0]): void {
    const { scales } = this.controls;
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
    const [xName, yName] = [this.room.x.value, this.room.y.value];
    const [across, up] = [scales.get(xName)!, scales.get(yName)!];
    context.textBaseline = "bottom";
    context.textAlign = "left";
    context.fillText(`${xName} ${across.text(across.low)}`, 8, height - 6);
    context.fillText(`${yName} ${up.text(up.low)}`, 8, height - 24);
    context.textAlign = "right";
    context.fillText(across.text(across.high), width - 8, height - 6);
    context.textBaseline = "top";
    context.textAlign = "left";
    context.fillText(`${yName} ${up.text(up.high)}`, 8, 8);
    const dot = (x: number, y: number, size: number, fill: boolean) => {
      context.beginPath();
      context.arc(x * width, (1 - y) * height, size, 0, 7);
      if (fill) context.fill();
      else context.stroke();
    };
    context.fillStyle = colour("accent");
    dot(this.place.x, this.place.y, 9, true);
    const measured = this.measured;
    if (!measured) return;
    const sounds = (name: string, otherwise: number) =>
      MEASURED.includes(name as "centroid") ? scales.get(name)!.share(measured[name as "centroid"]) : otherwise;
    context.strokeStyle = colour("ink");
    context.lineWidth = 2;
    dot(sounds(xName, this.place.x), sounds(yName, this.place.y), 15, false);
    context.lineWidth = 1;
  }
}
