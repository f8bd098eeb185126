// An exported network as an instrument in a page.
//
//   const engine = await Engine.load({ card, model, wasm, worker: () => new EngineWorker(), processor: url });
//   await engine.start();            // after a click or a key: browsers ask for one
//   engine.noteOn(69); engine.set("centroid", 2400);
import { played, type Card } from "./card";
import type { Measured } from "./gauge";
import type { FromWorker, Load, Played, Recording, ToWorker } from "./messages";
import { Ring } from "./ring";
import { wav } from "./wav";

const CAPACITY = 1 << 14;
/** Blocks that are made before they are heard; more, once one came too late. */
const AHEAD = 2;

export interface Parts {
  card: Card;
  /** The .onnx file. */
  model: ArrayBuffer;
  /** ort-wasm-simd-threaded.wasm of onnxruntime-web. */
  wasm: ArrayBuffer;
  /** Makes a worker of engine/worker.ts. */
  worker: () => Worker;
  /** Address of engine/processor.js. */
  processor: string;
}

export interface Meter {
  load: Load;
  measured: Measured | null;
  asked: Record<string, number>;
  dropouts: number;
  /** Milliseconds from a control to its sound. */
  delay: number;
}

export class Engine {
  /** Called some twenty times a second while it plays. */
  onmeter: (meter: Meter) => void = () => {};
  onfailure: (message: string) => void = () => {};
  private context: AudioContext | null = null;
  private starting: Promise<void> | null = null;
  private gain: GainNode | null = null;
  private loud = 1;
  private dropouts = 0;
  private ahead: number;
  private finished: ((recording: Recording) => void) | null = null;

  private constructor(
    readonly card: Card,
    private readonly worker: Worker,
    private readonly processor: string,
  ) {
    this.ahead = AHEAD * card.block;
  }

  /** Load the network; no sound yet. */
  static load(parts: Parts): Promise<Engine> {
    played(parts.card);
    const engine = new Engine(parts.card, parts.worker(), parts.processor);
    let ready = false;
    return new Promise((resolve, reject) => {
      engine.worker.onerror = (event) => reject(new Error(event.message || "the worker did not start"));
      engine.worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
        if (data.type === "ready") {
          ready = true;
          resolve(engine);
        } else if (data.type === "failed") {
          if (!ready) engine.worker.terminate();
          reject(new Error(data.message));
          engine.onfailure(data.message);
        } else if (data.type === "recording") {
          engine.finished?.(data.recording);
          engine.finished = null;
        } else {
          const { load, measured, asked } = data;
          engine.onmeter({ load, measured, asked, dropouts: engine.dropouts, delay: engine.delay });
        }
      };
      const { card, model, wasm } = parts;
      engine.tell({ type: "load", card, model, wasm }, [model, wasm]);
    });
  }

  private tell(message: ToWorker, transfer: Transferable[] = []): void {
    this.worker.postMessage(message, transfer);
  }

  /** Milliseconds from a control to its sound, as far as the browser says. */
  get delay(): number {
    const { sample_rate: rate, block } = this.card;
    const device = this.context ? this.context.baseLatency + (this.context.outputLatency || 0) : 0;
    // What is asked for in the middle of a block is heard with the next.
    return 1000 * ((this.ahead + block / 2 + played(this.card).delay) / rate + device);
  }

  get running(): boolean {
    return this.context?.state === "running";
  }

  /** Sound on. */
  async start(): Promise<void> {
    this.starting ??= this.connect();
    await this.starting;
    await this.context!.resume();
  }

  /** Sound off; start goes on where it was. */
  async stop(): Promise<void> {
    this.silence();
    await this.context?.suspend();
  }

  /** For good. */
  async close(): Promise<void> {
    this.worker.terminate();
    await this.context?.close();
  }

  private async connect(): Promise<void> {
    const { block, sample_rate: sampleRate } = this.card;
    const context = new AudioContext({ sampleRate, latencyHint: "interactive" });
    this.context = context;
    await context.audioWorklet.addModule(this.processor);
    const memory = globalThis.crossOriginIsolated ? Ring.of(CAPACITY).memory : null;
    const node = new AudioWorkletNode(context, "vqsynth-player", {
      numberOfInputs: 0,
      outputChannelCount: [2],
      processorOptions: { block, ahead: AHEAD, memory, capacity: CAPACITY },
    });
    node.port.onmessage = ({ data }: MessageEvent<Played>) => {
      this.dropouts = data.dropouts;
      this.ahead = data.ahead;
    };
    const channel = new MessageChannel();
    this.tell({ type: "player", port: channel.port1, memory }, [channel.port1]);
    node.port.postMessage(channel.port2, [channel.port2]);
    this.gain = context.createGain();
    this.gain.gain.value = this.loud;
    node.connect(this.gain).connect(context.destination);
  }

  /** How loud it is heard, 0 to 1; recordings are as they are. */
  set volume(share: number) {
    this.loud = share;
    this.gain?.gain.setTargetAtTime(share, this.context!.currentTime, 0.01);
  }

  /** A control in its own unit; 0 leaves a descriptor, or the pitch, to the timbre. Or `life`, 0 to 1. */
  set(name: string, value: number): void {
    this.tell({ type: "set", name, value });
  }

  /** A curve of a control that loops; null takes it away. */
  curve(name: string, points: Float32Array | null, seconds = 4): void {
    this.tell({ type: "curve", name, points, seconds });
  }

  /** A MIDI note, 60 being the middle C; velocity 0 to 1. */
  noteOn(note: number, velocity = 0.8): void {
    this.tell({ type: "on", note, velocity });
  }

  noteOff(note: number): void {
    this.tell({ type: "off", note });
  }

  /** All notes off. */
  silence(): void {
    this.tell({ type: "silence" });
  }

  bend(semitones: number): void {
    this.tell({ type: "bend", semitones });
  }

  /** Keep all that is made from now on. */
  record(): void {
    this.tell({ type: "record" });
  }

  /** What was made since record, gapless. */
  async finish(): Promise<Recording & { wav: Uint8Array<ArrayBuffer> }> {
    const recording = await new Promise<Recording>((resolve) => {
      this.finished = resolve;
      this.tell({ type: "finish" });
    });
    return { ...recording, wav: wav(recording.blocks, recording.rate) };
  }
}
