// A queue of samples in shared memory: one side writes, the other reads, no locks.

export class Ring {
  private readonly marks: Int32Array;
  private readonly samples: Float32Array;

  constructor(readonly memory: SharedArrayBuffer) {
    this.marks = new Int32Array(memory, 0, 2);
    this.samples = new Float32Array(memory, 8);
  }

  static of(capacity: number): Ring {
    return new Ring(new SharedArrayBuffer(8 + 4 * capacity));
  }

  /** Samples that wait to be read. */
  get filled(): number {
    return (Atomics.load(this.marks, 0) - Atomics.load(this.marks, 1)) | 0;
  }

  /** False, and nothing written, where there is no room. */
  write(block: Float32Array): boolean {
    const size = this.samples.length;
    if (this.filled + block.length > size) return false;
    const start = Atomics.load(this.marks, 0) >>> 0;
    for (let k = 0; k < block.length; k++) this.samples[(start + k) % size] = block[k]!;
    Atomics.store(this.marks, 0, (start + block.length) | 0);
    return true;
  }
}
