// The bar that shows where the sound is, and which part of it goes round.
import type { Deck } from "./deck";
import { $ } from "./dom";

const LEAST = 0.1;

export class Strip {
  private readonly bar = $("strip");
  private readonly chosen = $("chosen");
  private readonly head = $("head");
  private readonly from = $<HTMLInputElement>("from");
  private readonly to = $<HTMLInputElement>("to");
  private readonly button = $<HTMLButtonElement>("play");

  constructor(private readonly deck: Deck, private readonly seconds: number) {
    this.show(0, seconds);
    this.from.max = this.to.max = seconds.toFixed(2);
    this.button.disabled = false;
    this.button.addEventListener("click", () => this.toggle());
    $("whole").addEventListener("click", () => this.select(0, seconds));
    for (const input of [this.from, this.to]) {
      input.addEventListener("change", () => this.select(Number(this.from.value) || 0, Number(this.to.value) || seconds));
    }
    let first: number | null = null;
    const at = (event: PointerEvent) => {
      const { left, width } = this.bar.getBoundingClientRect();
      return Math.max(0, Math.min(seconds, ((event.clientX - left) / width) * seconds));
    };
    this.bar.addEventListener("pointerdown", (event) => {
      this.bar.setPointerCapture(event.pointerId);
      first = at(event);
    });
    this.bar.addEventListener("pointermove", (event) => first !== null && this.show(Math.min(first, at(event)), Math.max(first, at(event))));
    this.bar.addEventListener("pointerup", (event) => {
      const [low, high] = [Math.min(first ?? 0, at(event)), Math.max(first ?? 0, at(event))];
      first = null;
      // A click is no part.
      if (high - low < LEAST) this.select(0, seconds);
      else this.select(low, high);
    });
    this.bar.addEventListener("pointercancel", () => {
      first = null;
      this.show(...this.deck.selection);
    });
    this.draw();
  }

  toggle(): void {
    if (this.deck.playing) this.deck.stop();
    else void this.deck.play();
  }

  private select(low: number, high: number): void {
    const start = Math.max(0, Math.min(low, this.seconds - LEAST));
    const end = Math.min(this.seconds, Math.max(high, start + LEAST));
    this.show(start, end);
    this.deck.select(start, end);
  }

  private show(start: number, end: number): void {
    this.chosen.style.left = `${(100 * start) / this.seconds}%`;
    this.chosen.style.width = `${(100 * (end - start)) / this.seconds}%`;
    this.from.value = start.toFixed(2);
    this.to.value = end.toFixed(2);
  }

  private draw(): void {
    this.head.style.left = `${(100 * this.deck.place()) / this.seconds}%`;
    const { playing } = this.deck;
    if (this.button.getAttribute("aria-pressed") !== String(playing)) {
      this.button.setAttribute("aria-pressed", String(playing));
      this.button.firstChild!.textContent = playing ? "Stop " : "Play ";
    }
    requestAnimationFrame(() => this.draw());
  }
}
