// Chance that can be repeated: mulberry32 (public domain, by Tommy Ettinger).

export class Chance {
  constructor(private state: number) {}

  /** From 0 to below 1. */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  coin(): boolean {
    return this.next() < 0.5;
  }

  /** In a new order, all orders being equally likely (Fisher and Yates). */
  shuffled<T>(items: readonly T[]): T[] {
    const mixed = [...items];
    for (let k = mixed.length - 1; k > 0; k--) {
      const other = Math.floor(this.next() * (k + 1));
      [mixed[k], mixed[other]] = [mixed[other]!, mixed[k]!];
    }
    return mixed;
  }
}

export function freshSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0]!;
}
