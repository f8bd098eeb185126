// Spectral centroid and bandwidth of what sounds, as the Python package measures them: Hann frames, magnitudes.

const SIZE = 2048;

export interface Measured {
  centroid: number;
  bandwidth: number;
  /** Root mean square, dB. */
  level: number;
}

/** In-place FFT of a power of two, decimation in time. */
export function fft(re: Float64Array, im: Float64Array): void {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [re[i], re[j]] = [re[j]!, re[i]!];
      [im[i], im[j]] = [im[j]!, im[i]!];
    }
  }
  for (let length = 2; length <= n; length <<= 1) {
    const angle = (-2 * Math.PI) / length;
    for (let k = 0; k < length / 2; k++) {
      const c = Math.cos(angle * k);
      const s = Math.sin(angle * k);
      for (let i = k; i < n; i += length) {
        const j = i + length / 2;
        const x = re[j]! * c - im[j]! * s;
        const y = re[j]! * s + im[j]! * c;
        re[j] = re[i]! - x;
        im[j] = im[i]! - y;
        re[i]! += x;
        im[i]! += y;
      }
    }
  }
}

export class Gauge {
  private readonly newest = new Float32Array(SIZE);

  constructor(private readonly rate: number) {}

  write(block: Float32Array): void {
    const count = Math.min(block.length, SIZE);
    this.newest.copyWithin(0, count);
    this.newest.set(block.subarray(block.length - count), SIZE - count);
  }

  /** Of the newest frame; null where it is silent. */
  read(): Measured | null {
    const re = new Float64Array(SIZE);
    const im = new Float64Array(SIZE);
    let power = 0;
    for (let k = 0; k < SIZE; k++) {
      power += this.newest[k]! ** 2 / SIZE;
      re[k] = this.newest[k]! * (0.5 - 0.5 * Math.cos((2 * Math.PI * k) / SIZE));
    }
    if (power < 1e-8) return null;
    fft(re, im);
    let sum = 0;
    let first = 0;
    let second = 0;
    for (let k = 0; k <= SIZE / 2; k++) {
      const magnitude = Math.hypot(re[k]!, im[k]!);
      const frequency = (k * this.rate) / SIZE;
      sum += magnitude;
      first += magnitude * frequency;
      second += magnitude * frequency ** 2;
    }
    const centroid = first / sum;
    return { centroid, bandwidth: Math.sqrt(Math.max(0, second / sum - centroid ** 2)), level: 10 * Math.log10(power) };
  }
}
