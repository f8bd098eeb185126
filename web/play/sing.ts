/** Sung, hummed or any other sound: its pitch, brightness and loudness become curves to be played by a timbre. */
import { get, type Descriptor, type Sound } from "./api";
import { place, valueAt } from "./curves";
import { el, labelled, row } from "./dom";
import { attempt, soundChoice, soundSource } from "./sounds";

export interface Followed { descriptor: string; values: number[]; octaves?: number }
interface Measured { seconds: number; values: number[]; low: number; high: number }

/** A melody moved by octaves to where most of it can be played; how many. Pure. */
export function intoRange(values: number[], low: number, high: number): [number[], number] {
  const inside = (octaves: number) => values.filter((v) => v * 2 ** octaves >= low && v * 2 ** octaves <= high).length;
  let best = 0;
  for (const octaves of [-1, 1, -2, 2, -3, 3]) if (inside(octaves) > inside(best)) best = octaves;
  return [values.map((v) => Math.min(high, Math.max(low, v * 2 ** best))), best];
}

/** What a sound asks of a descriptor: a pitch as it is, by octaves; anything else within the timbre's own reach. */
export async function follow(sound: Sound, descriptor: Descriptor, points: number): Promise<Followed> {
  const measured = await get<Measured>(`/sounds/${sound.id}/measured?descriptor=${descriptor.name}&points=${points}`);
  if (descriptor.name === "f0") {
    const [values, octaves] = intoRange(measured.values, descriptor.low, descriptor.high);
    return { descriptor: "f0", values, octaves };
  }
  const log = descriptor.scale === "log" && descriptor.low > 0 && measured.low > 0;
  const spread = measured.high > measured.low;
  return { descriptor: descriptor.name, values: measured.values.map((v) =>
    valueAt(spread ? Math.min(1, Math.max(0, place(v, measured.low, measured.high, log))) : 0.5, descriptor.low, descriptor.high, log)) };
}

/** The row that takes a sound to be followed, and what of it. */
export function singing(take: (sound: Sound, what: string[]) => Promise<void>): HTMLElement {
  const boxes = ["f0", "loudness", "centroid"].map((name) => ({ name, box: el("input", { type: "checkbox", checked: name !== "centroid" }) }));
  const what = () => boxes.filter(({ box }) => box.checked).map(({ name }) => name);
  const known = soundChoice();
  const again = el("button", {}, "Follow this sound");
  again.onclick = () => void attempt(async () => {
    const { sounds } = await get<{ sounds: Sound[] }>("/sounds");
    const sound = sounds.find((s) => s.id === known.value);
    if (!sound) throw new Error("there is no sound yet: record one, or press Use example");
    await take(sound, what());
  });
  return el("div", {}, soundSource((sound) => void attempt(() => take(sound, what()))),
    row(labelled("Sound of this window", known), again, ...boxes.map(({ name, box }) => labelled({ f0: "pitch", centroid: "brightness" }[name] ?? name, box))));
}
