// What the page, the worker and the audio thread tell each other.
import type { Card } from "./card";
import type { Measured } from "./gauge";

export type ToWorker =
  | { type: "load"; card: Card; model: ArrayBuffer; wasm: ArrayBuffer }
  | { type: "player"; port: MessagePort; memory: SharedArrayBuffer | null }
  | { type: "set"; name: string; value: number }
  | { type: "curve"; name: string; points: Float32Array | null; seconds: number }
  | { type: "on"; note: number; velocity: number }
  | { type: "off"; note: number }
  | { type: "silence" }
  | { type: "bend"; semitones: number }
  | { type: "record" }
  | { type: "finish" };

export interface Load {
  /** Milliseconds that a block took to compute: mean, 99th percentile, worst. */
  mean: number;
  p99: number;
  worst: number;
  /** Milliseconds that a block lasts. */
  block: number;
  blocks: number;
}

export interface Recording {
  rate: number;
  blocks: Float32Array[];
  /** Frames of the controls of each block, [controls, frames] row by row. */
  controls: Float32Array[];
}

export type FromWorker =
  | { type: "ready" }
  | { type: "failed"; message: string }
  | { type: "meter"; load: Load; measured: Measured | null; asked: Record<string, number> }
  | { type: "recording"; recording: Recording };

/** From the audio thread. */
export interface Played {
  dropouts: number;
  ahead: number;
}
