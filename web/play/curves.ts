/** What is done to curves before any sound: strokes, bumps, the way back, and the weights of a plane. Pure. */

/** Write the line between two positions of the hand into a curve; the span of what changed, end excluded. */
export function stroke(curve: Float32Array, from: [number, number], to: [number, number]): [number, number] {
  const [left, right] = from[0] <= to[0] ? [from, to] : [to, from];
  const first = Math.max(0, Math.round(left[0]));
  const last = Math.min(curve.length - 1, Math.round(right[0]));
  for (let i = first; i <= last; i++) {
    const share = right[0] > left[0] ? Math.min(1, Math.max(0, (i - left[0]) / (right[0] - left[0]))) : 1;
    curve[i] = right[0] > left[0] ? left[1] + share * (right[1] - left[1]) : to[1];
  }
  return [first, last + 1];
}

/** Lift a curve around a place by a raised cosine; the span of what changed, end excluded. */
export function bump(curve: Float32Array, centre: number, width: number, amount: number): [number, number] {
  const first = Math.max(0, Math.ceil(centre - width));
  const last = Math.min(curve.length - 1, Math.floor(centre + width));
  for (let i = first; i <= last; i++) curve[i] = curve[i]! + amount * 0.5 * (1 + Math.cos((Math.PI * (i - centre)) / width));
  return [first, last + 1];
}

/** States in the order in which they came, and where we are among them. */
export class History<T> {
  private states: T[] = [];
  private at = -1;
  constructor(private readonly most = 60) {}
  get current(): T | undefined { return this.states[this.at]; }
  get canUndo(): boolean { return this.at > 0; }
  get canRedo(): boolean { return this.at < this.states.length - 1; }
  push(state: T): void {
    this.states = [...this.states.slice(0, this.at + 1), state].slice(-this.most);
    this.at = this.states.length - 1;
  }
  undo(): T | undefined { if (this.canUndo) this.at--; return this.current; }
  redo(): T | undefined { if (this.canRedo) this.at++; return this.current; }
  clear(): void { this.states = []; this.at = -1; }
}

/** Weights of the corners A (0,0), B (1,0), C (0,1), D (1,1) at a point; they sum to one. */
export function weights(x: number, y: number): [number, number, number, number] {
  const [u, v] = [Math.min(1, Math.max(0, x)), Math.min(1, Math.max(0, y))];
  return [(1 - u) * (1 - v), u * (1 - v), (1 - u) * v, u * v];
}

/** A value's place between two bounds, 0 to 1, in steps of equal ratio where asked. */
export function place(value: number, low: number, high: number, log: boolean): number {
  return log ? Math.log(Math.max(value, 1e-9) / low) / Math.log(high / low) : (value - low) / (high - low);
}

/** The value at a place between two bounds: the inverse of place. */
export function valueAt(share: number, low: number, high: number, log: boolean): number {
  return log ? low * (high / low) ** share : low + share * (high - low);
}
