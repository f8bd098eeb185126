/** States that were kept: gone back to, compared by a key, and morphed from one to another. */
import type { Sound } from "./api";
import { choice, el, labelled, panel, row, slider } from "./dom";
import { play, playing, position } from "./player";
import { attempt } from "./sounds";

export interface Snapshot<T> { name: string; state: T; sound?: Sound }
interface Hands<T> {
  /** What there is now; nothing before there is a sound. */
  now: () => { state: T; sound?: Sound } | undefined;
  /** Go back to a state. */
  recall: (state: T) => Promise<unknown>;
  /** Go to what lies between two states, 0 to 1. */
  morph: (from: T, to: T, share: number) => Promise<unknown>;
}

export class Snapshots<T> {
  readonly element: HTMLElement;
  list: Snapshot<T>[] = [];
  private count = 0;
  private second = true;
  private readonly rows = el("div", {});
  private readonly from = choice([]);
  private readonly to = choice([]);
  private readonly amount = slider(0, 1, 0.01, 0);

  constructor(private readonly hands: Hands<T>) {
    const keep = el("button", {}, "Keep this state");
    keep.onclick = () => {
      const now = hands.now();
      if (now) this.add({ name: `State ${++this.count}`, ...now });
    };
    const compare = el("button", { title: "C" }, "Compare A and B");
    compare.onclick = () => void this.compare();
    this.amount.onchange = () => void attempt(async () => {
      const [a, b] = this.pair();
      const share = Number(this.amount.value);
      if (!a || !b) return;
      if (share === 0 || share === 1) await hands.recall((share ? b : a).state);
      else await hands.morph(a.state, b.state, share);
    });
    this.element = panel("Snapshots", row(keep), this.rows,
      row(labelled("A", this.from), labelled("Morph", this.amount), labelled("B", this.to), compare));
    this.show();
  }

  add(snapshot: Snapshot<T>): void {
    this.list.push(snapshot);
    this.show();
    // The two latest are what one wants to hear beside each other.
    if (this.list.length > 1) [this.from.value, this.to.value] = [String(this.list.length - 2), String(this.list.length - 1)];
  }

  replace(list: Snapshot<T>[]): void {
    this.list = [];
    this.count = list.length;
    list.forEach((snapshot) => this.add(snapshot));
    this.show();
  }

  /** Hear A, then B from the same moment on, and so forth. */
  async compare(): Promise<void> {
    const sounds = this.pair().map((snapshot) => snapshot?.sound);
    if (!sounds[0] || !sounds[1]) return;
    this.second = playing() ? !this.second : false;
    const sound = sounds[this.second ? 1 : 0]!;
    this.element.dataset.heard = this.second ? "B" : "A";
    await attempt(() => play(sound, { loop: true, at: playing() ? position() % sound.seconds : 0 }));
  }

  private pair(): (Snapshot<T> | undefined)[] { return [this.list[Number(this.from.value)], this.list[Number(this.to.value)]]; }

  private show(): void {
    this.rows.replaceChildren(...this.list.map((snapshot, i) => {
      const name = el("input", { type: "text", value: snapshot.name, maxLength: 60, "aria-label": `Name of snapshot ${i + 1}` });
      name.onchange = () => { snapshot.name = name.value || snapshot.name; this.show(); };
      const recall = el("button", {}, "Recall");
      recall.onclick = () => void attempt(() => this.hands.recall(snapshot.state));
      const away = el("button", { "aria-label": `Delete ${snapshot.name}` }, "Delete");
      away.onclick = () => { this.list.splice(i, 1); this.show(); };
      return row(name, recall, away);
    }));
    for (const select of [this.from, this.to]) {
      const was = select.value;
      select.replaceChildren(...this.list.map((snapshot, i) => el("option", { value: String(i) }, snapshot.name)));
      if (Number(was) < this.list.length && was !== "") select.value = was;
    }
  }
}
