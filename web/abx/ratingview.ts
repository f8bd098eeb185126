// The rating: several sounds on sliders beside an open reference, which hides among them too (after ITU-R BS.1534-3, "MUSHRA").
import type { Deck } from "./deck";
import { cells, csvLink, heading, keyed, make } from "./dom";
import { Chance } from "./random";
import { again, ratingTable, type Session } from "./results";

const WORDS = ["bad", "poor", "fair", "good", "excellent"];
/** BS.1534-3 takes listeners out who rate the hidden reference below this. */
const REFERENCE_LEAST = 90;

interface Item {
  name: string;
  /** Among the sounds and anchors; 0 is the reference. */
  sound: number;
  slider: HTMLInputElement;
  button: HTMLButtonElement;
  rated: boolean;
  heard: boolean;
}

export class RatingView {
  private session: Session | null = null;
  private items: Item[] = [];
  private open: HTMLButtonElement | null = null;
  private done = make("button");
  private began = 0;
  private runs = 0;

  constructor(
    private readonly room: HTMLElement,
    private readonly deck: Deck,
    private readonly sounds: AudioBuffer[],
    private readonly begin: () => Session,
    private readonly notice: (text: string) => void,
  ) {
    this.introduce();
  }

  show(): void {
    if (this.session) this.load();
  }

  get running(): boolean {
    return this.session !== null;
  }

  key(key: string): void {
    if (!this.session) return;
    if (/^\d$/.test(key) && Number(key) <= this.items.length) this.hear(Number(key));
  }

  private introduce(): void {
    const { card } = this.begin();
    const hidden = card.anchors.length ? ` So do ${card.anchors.length} that were made dull on purpose.` : "";
    this.room.replaceChildren(
      make("h2", {}, "Rate them"),
      make("p", {}, `How close is each sound to the reference, from 0 (bad) to 100 (no difference)? The reference itself hides among the sounds: give it 100.${hidden} ` +
        "The way of ITU-R BS.1534-3 (MUSHRA), for one listener and one item."),
      keyed("Begin", "", () => this.start()),
    );
  }

  private start(): void {
    this.session = again(this.begin(), this.runs++);
    const { card, seed } = this.session;
    const names = [...card.sounds.map(({ name }) => name), ...card.anchors];
    const order = new Chance(seed).shuffled(names.map((_, k) => k));
    this.open = keyed("Reference", "0", () => this.hear(0));
    this.items = order.map((sound, k) => this.item(names[sound]!, sound, k + 1));
    this.done = keyed("Done", "", () => this.finish());
    const rows = this.items.map(({ button, slider }) => make("div", { className: "rate untouched" }, button, slider, make("output", {}, "–")));
    this.room.replaceChildren(
      make("h2", {}, "How close to the reference?"),
      make("div", { className: "row sounds" }, this.open),
      make("div", { className: "rate", ariaHidden: "true" }, make("span"), make("div", { className: "words" }, ...WORDS.map((word) => make("span", {}, word))), make("span")),
      ...rows,
      make("div", { className: "row" }, this.done),
    );
    this.load();
    this.ready();
    this.open.focus();
    this.notice("Listen to the reference and to every sound, and move every slider.");
  }

  private item(name: string, sound: number, place: number): Item {
    const key = place < 10 ? String(place) : "";
    const button = keyed(`Sound ${place}`, key, () => this.hear(place));
    const slider = make("input", { type: "range", min: "0", max: "100", step: "1", value: "50" });
    slider.setAttribute("aria-label", `Rating of sound ${place}`);
    slider.setAttribute("aria-valuetext", "not rated");
    const made: Item = { name, sound, slider, button, rated: false, heard: false };
    slider.addEventListener("input", () => {
      made.rated = true;
      const word = WORDS[Math.min(4, Math.floor(Number(slider.value) / 20))]!;
      slider.setAttribute("aria-valuetext", `${slider.value}, ${word}`);
      slider.parentElement!.classList.remove("untouched");
      slider.parentElement!.querySelector("output")!.textContent = slider.value;
      this.ready();
    });
    return made;
  }

  private load(): void {
    this.deck.load([0, ...this.items.map(({ sound }) => sound)].map((number) => this.sounds[number]!));
    this.began = performance.now();
    this.mark(0);
  }

  private hear(number: number): void {
    this.deck.choose(number);
    void this.deck.play();
    if (number) this.items[number - 1]!.heard = true;
    this.mark(number);
    this.ready();
  }

  private mark(heard: number): void {
    [this.open!, ...this.items.map(({ button }) => button)].forEach((button, k) => button.setAttribute("aria-pressed", String(k === heard)));
  }

  private ready(): void {
    this.done.disabled = !this.items.every(({ rated, heard }) => rated && heard);
  }

  private finish(): void {
    this.deck.stop();
    const session = this.session!;
    this.session = null;
    const rated = this.items.map(({ name, sound, slider }, k) => ({ name, sound, rating: Number(slider.value), place: k + 1 }));
    const hidden = rated.find(({ sound }) => sound === 0)!;
    const low = hidden.rating < REFERENCE_LEAST
      ? `You gave the hidden reference ${hidden.rating}. BS.1534-3 asks for ${REFERENCE_LEAST} or more; with less, a listener's ratings are left out.` : "You knew the hidden reference.";
    const rows = [...rated].sort((one, two) => two.rating - one.rating)
      .map(({ name, sound, rating }) => cells(sound === 0 ? `${name} (hidden reference)` : name, rating));
    const heading1 = make("h2", { tabIndex: -1 }, "Your ratings");
    const table = ratingTable(session, rated, (performance.now() - this.began) / 1000, this.deck.switches);
    this.room.replaceChildren(
      heading1,
      make("div", { className: "wide" }, make("table", {}, heading("sound", "rating"), make("tbody", {}, ...rows))),
      make("p", { className: "soft" }, low),
      make("div", { className: "row" }, csvLink(`rating-${session.card.test}-${session.seed}.csv`, table), keyed("Once more", "", () => this.start())),
    );
    heading1.focus();
    this.notice("Done. Save the results below.");
  }
}
