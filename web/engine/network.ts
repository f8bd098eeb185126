// The exported network in onnxruntime: controls of a block in, its sound out, its past kept.
import * as ort from "onnxruntime-web/wasm";
import type { Card } from "./card";

/** Runs before the first block that is heard: a WebAssembly module is slow until the browser has optimised it, some hundred
 * blocks later. On a slow machine the wait has an end. */
const [LEAST_WARM, WARM, WARM_MS] = [24, 500, 2000];
const KEPT = ["input", "state"];

export class Network {
  private state: ort.Tensor;
  private readonly shape: number[];
  private readonly settings: Record<string, ort.Tensor> = {};

  private constructor(
    private readonly session: ort.InferenceSession,
    card: Card,
  ) {
    const tensor = (name: string) => {
      const found = card.inputs.find((input) => input.name === name);
      if (!found) throw new Error(`the card has no input ${name}`);
      return found;
    };
    this.shape = tensor("input").shape;
    this.state = new ort.Tensor("float64", new Float64Array(tensor("state").shape[0]!), tensor("state").shape);
    for (const input of card.inputs.filter(({ name }) => !KEPT.includes(name))) {
      const initial = Array.isArray(input.initial) ? input.initial : [input.initial ?? 0];
      this.settings[input.name] = new ort.Tensor("float32", Float32Array.from(initial), input.shape);
    }
  }

  static async load(card: Card, model: ArrayBuffer, wasm: ArrayBuffer): Promise<Network> {
    ort.env.wasm.wasmBinary = wasm;
    ort.env.wasm.numThreads = 1;
    ort.env.wasm.proxy = false;
    ort.env.logLevel = "error";
    const session = await ort.InferenceSession.create(new Uint8Array(model), {
      executionProviders: ["wasm"],
      graphOptimizationLevel: "all",
    });
    const network = new Network(session, card);
    const start = network.state;
    const begun = performance.now();
    for (let k = 0; k < LEAST_WARM || (k < WARM && performance.now() - begun < WARM_MS); k++) await network.run(new Float32Array(network.shape[1]! * network.frames));
    network.state = start;
    return network;
  }

  /** Whether there is such an input beside the block. */
  has(name: string): boolean {
    return name in this.settings;
  }

  /** An input beside the block, from the next block on. */
  set(name: string, value: number): void {
    const { dims, size } = this.settings[name]!;
    if (Number.isFinite(value)) this.settings[name] = new ort.Tensor("float32", new Float32Array(size).fill(value), dims);
  }

  get frames(): number {
    return this.shape[2]!;
  }

  /** One block. */
  async run(frames: Float32Array): Promise<Float32Array> {
    const input = new ort.Tensor("float32", frames, this.shape);
    const made = await this.session.run({ input, state: this.state, ...this.settings });
    this.state = made.new_state!;
    return (made.output!.data as Float32Array).slice();
  }
}
