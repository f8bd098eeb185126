// The card beside an exported network, as far as the engine needs it.

export interface Port {
  name: string;
  unit: string;
  low: number;
  high: number;
  about: string;
}

export interface Tensor {
  name: string;
  type: string;
  shape: number[];
  initial?: number | number[];
}

export interface Method {
  name: string;
  inputs: Port[];
  in_ratio: number;
  outputs: Port[];
  /** Samples from the end of a control's frame to its sound. */
  delay: number;
}

export interface Card {
  name: string;
  kind: string;
  description: string;
  sample_rate: number;
  /** Samples of a run. */
  block: number;
  inputs: Tensor[];
  outputs: Tensor[];
  methods: Method[];
  licence: string;
  learned_from: string[];
  vqsynth_version: string;
}

/** The one method of a network, with a check that it is played by controls. */
export function played(card: Card): Method {
  const method = card.methods[0];
  if (!method || method.in_ratio < 2 || method.outputs[0]?.unit !== "audio") {
    throw new Error(`${card.name} is not played by controls; export it with the method control or decode`);
  }
  return method;
}

/** Inputs beside the block that are single numbers: a timbre's life. */
export function settings(card: Card): Port[] {
  const known: Record<string, string> = { life: "share of the player's own movement: vibrato, swells, changes of colour" };
  const found = card.inputs.filter(({ name, shape }) => name in known && shape.length === 1 && shape[0] === 1);
  return found.map(({ name }) => ({ name, unit: "", low: 0, high: 1, about: known[name]! }));
}
