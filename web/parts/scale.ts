// Values of a control between 0 and 1 and back, and as text.
import type { Port } from "../engine/card";

export class Scale {
  readonly low: number;
  readonly high: number;
  private readonly logarithmic: boolean;

  constructor(readonly port: Port) {
    this.low = port.low;
    this.high = port.high;
    this.logarithmic = port.unit === "Hz" && port.low > 0;
  }

  value(share: number): number {
    const at = Math.max(0, Math.min(1, share));
    return this.logarithmic ? this.low * (this.high / this.low) ** at : this.low + at * (this.high - this.low);
  }

  share(value: number): number {
    const at = this.logarithmic
      ? Math.log(value / this.low) / Math.log(this.high / this.low)
      : (value - this.low) / (this.high - this.low);
    return Math.max(0, Math.min(1, at));
  }

  text(value: number): string {
    const { unit } = this.port;
    const digits = unit === "Hz" ? 0 : unit === "dB" ? 1 : 2;
    return `${value.toFixed(digits)}${unit ? ` ${unit}` : ""}`;
  }
}
