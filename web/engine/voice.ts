// What the hands ask for, as frames of a network's controls: notes, values that stand, curves that loop.
import type { Method } from "./card";

/** Name of a control whose note decides, by how the network is told of one. */
const PITCH = "pitch";
const STRENGTH = "velocity";

interface Curve {
  points: Float32Array;
  seconds: number;
  logarithmic: boolean;
}

export function hertz(note: number): number {
  return 440 * 2 ** ((note - 69) / 12);
}

export class Voice {
  readonly names: string[];
  private readonly values: Float64Array;
  private readonly curves = new Map<number, Curve>();
  private readonly held: { note: number; velocity: number }[] = [];
  private bent = 0;
  private time = 0;
  private last = 0;

  constructor(
    private readonly method: Method,
    private readonly rate: number,
  ) {
    this.names = method.inputs.map((port) => port.name);
    this.values = new Float64Array(this.names.length);
  }

  private place(name: string): number {
    const place = this.names.indexOf(name);
    if (place < 0) throw new RangeError(`no control is called ${name}`);
    return place;
  }

  /** A value that stands until it is set again; what is no number is left out. */
  set(name: string, value: number): void {
    if (Number.isFinite(value)) this.values[this.place(name)] = value;
  }

  /** A curve that goes round in so many seconds in place of the value that stands; null: none. */
  curve(name: string, points: ArrayLike<number> | null, seconds = 4): void {
    const place = this.place(name);
    if (!points || points.length < 2 || !(seconds > 0)) this.curves.delete(place);
    else {
      const copied = Float32Array.from(points);
      if (!copied.every(Number.isFinite)) return;
      const unit = this.method.inputs[place]!.unit;
      this.curves.set(place, { points: copied, seconds, logarithmic: unit === "Hz" && copied.every((y) => y > 0) });
    }
  }

  noteOn(note: number, velocity = 0.8): void {
    this.noteOff(note);
    this.held.push({ note, velocity: Math.max(0.01, Math.min(1, velocity)) });
  }

  noteOff(note: number): void {
    const at = this.held.findIndex((one) => one.note === note);
    if (at >= 0) this.held.splice(at, 1);
  }

  silence(): void {
    this.held.length = 0;
  }

  /** Semitones by which notes are bent. */
  bend(semitones: number): void {
    if (Number.isFinite(semitones)) this.bent = semitones;
  }

  /** The next frames, [controls, frames] row by row. */
  frames(count: number): Float32Array {
    const made = new Float32Array(this.names.length * count);
    const note = this.held[this.held.length - 1];
    this.last = note?.note ?? this.last;
    for (let frame = 0; frame < count; frame++) {
      for (let place = 0; place < this.names.length; place++) {
        made[place * count + frame] = this.at(place, note);
      }
      this.time += this.method.in_ratio / this.rate;
    }
    return made;
  }

  private at(place: number, note: { note: number; velocity: number } | undefined): number {
    const name = this.names[place];
    if (name === STRENGTH) return note ? note.velocity : 0;
    if (name === "loudness" && !this.names.includes(STRENGTH) && !note) return 0;
    const curve = this.curves.get(place);
    if (curve) return sample(curve, this.time);
    // The pitch of a note lasts while it dies away; a pitch that was set goes before.
    if (name === PITCH && !this.values[place] && this.last) return hertz(this.last + this.bent);
    return this.values[place]!;
  }
}

function sample({ points, seconds, logarithmic }: Curve, time: number): number {
  const at = ((time / seconds) % 1) * points.length;
  const from = Math.floor(at);
  const low = points[from % points.length]!;
  const high = points[(from + 1) % points.length]!;
  const share = at - from;
  return logarithmic ? low * (high / low) ** share : low + share * (high - low);
}
