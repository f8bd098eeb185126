// The ABX test: is X the sound A or the sound B?
import type { Deck } from "./deck";
import { cells, csvLink, heading, keyed, make } from "./dom";
import { abxTable, again, pairs, type Answer, type Session } from "./results";
import { plan, type Trial } from "./trials";

const NAMES = ["A", "B", "X"];

export class AbxView {
  private trials: Trial[] = [];
  private readonly answers: Answer[] = [];
  private session: Session | null = null;
  private began = 0;
  private runs = 0;
  private buttons: HTMLButtonElement[] = [];
  private replies: HTMLButtonElement[] = [];
  private progress = make("progress", { ariaLabel: "trials answered" });
  private count = make("p", { className: "soft" });

  constructor(
    private readonly room: HTMLElement,
    private readonly deck: Deck,
    private readonly sounds: AudioBuffer[],
    private readonly begin: () => Session,
    private readonly notice: (text: string) => void,
  ) {
    this.introduce();
  }

  /** The tab is shown: its sounds are those that play. */
  show(): void {
    if (this.running) this.next();
  }

  key(key: string): void {
    if (!this.running) return;
    const sound = ["1", "2", "3"].indexOf(key);
    if (sound >= 0) this.hear(sound);
    if (key === "a" || key === "b") this.answer(key);
  }

  get running(): boolean {
    return this.session !== null && this.answers.length < this.trials.length;
  }

  private introduce(): void {
    const { card } = this.begin();
    const all = (card.sounds.length - 1) * card.trials;
    this.room.replaceChildren(
      make("h2", {}, "Tell them apart"),
      make("p", {}, `X is A or B, by the toss of a coin. Listen to all three as often as you like, then say which. ${all} trials, with a new A, B and X in each; ` +
        "you are told how it went at the end."),
      keyed("Begin", "", () => this.start()),
    );
  }

  private start(): void {
    this.session = again(this.begin(), this.runs++);
    const { card, seed } = this.session;
    this.trials = plan(card.sounds.length, card.trials, seed);
    this.answers.length = 0;
    this.buttons = NAMES.map((name, k) => keyed(name, String(k + 1), () => this.hear(k)));
    this.replies = (["a", "b"] as const).map((name) => keyed(`X is ${name.toUpperCase()}`, name, () => this.answer(name)));
    this.progress.max = this.trials.length;
    this.room.replaceChildren(
      make("h2", {}, "Which one is X?"),
      this.progress,
      this.count,
      make("div", { className: "row sounds", role: "group", ariaLabel: "Sounds" }, ...this.buttons),
      make("div", { className: "row answers", role: "group", ariaLabel: "Your answer" }, ...this.replies),
      make("p", { className: "soft" }, "Not sure? Guess: the count takes guessing into account."),
      keyed("End here", "", () => this.finish()),
    );
    this.next();
    this.buttons[0]!.focus();
  }

  private next(): void {
    const trial = this.trials[this.answers.length]!;
    this.deck.load([trial.a, trial.b, trial[trial.x]].map((number) => this.sounds[number]!));
    this.began = performance.now();
    this.progress.value = this.answers.length;
    this.count.textContent = `Trial ${this.answers.length + 1} of ${this.trials.length}`;
    for (const reply of this.replies) reply.disabled = true;
    this.mark(0);
    this.notice(`${this.count.textContent}. Listen to X before you answer.`);
  }

  private hear(number: number): void {
    this.deck.choose(number);
    void this.deck.play();
    this.mark(number);
    if (number === 2) for (const reply of this.replies) reply.disabled = false;
  }

  private mark(heard: number): void {
    this.buttons.forEach((button, k) => button.setAttribute("aria-pressed", String(k === heard)));
  }

  private answer(answer: "a" | "b"): void {
    if (this.replies[0]!.disabled) return this.notice("Listen to X first.");
    const trial = this.trials[this.answers.length]!;
    this.answers.push({ ...trial, answer, seconds: (performance.now() - this.began) / 1000, switches: this.deck.switches });
    if (this.answers.length === this.trials.length) this.finish();
    else this.next();
  }

  private finish(): void {
    this.deck.stop();
    const session = this.session!;
    this.session = null;
    if (!this.answers.length) {
      this.notice("Nothing was answered.");
      return this.introduce();
    }
    const { card } = session;
    const rows = pairs(this.answers).map(({ other, correct, trials, p, corrected }) =>
      cells(card.sounds[other]!.name, `${correct} of ${trials}`, percent(p), percent(corrected)));
    const cut = this.answers.length < this.trials.length
      ? ` Ended after ${this.answers.length} of ${this.trials.length} trials: who ends when it goes well makes the numbers look better than they are.` : "";
    const heard = make("h2", { tabIndex: -1 }, "What you heard");
    this.room.replaceChildren(
      heard,
      make("div", { className: "wide" },
        make("table", {}, heading(`against ${card.sounds[0]!.name}`, "right", "by guessing", "for all pairs (Holm)"), make("tbody", {}, ...rows))),
      make("p", { className: "soft" }, `By guessing: how likely as many right answers, or more, are for one who hears no difference (binomial, one-sided). Below 5 % ` +
        `there was most likely something to hear; above, this test did not show it, which is no proof that there is nothing.${cut}`),
      make("div", { className: "row" }, csvLink(`abx-${card.test}-${session.seed}.csv`, abxTable(session, this.answers)), keyed("Once more", "", () => this.start())),
    );
    heard.focus();
    this.notice("Done. Save the results below.");
  }
}

export const percent = (share: number) => (share < 0.001 ? "below 0.1 %" : `${(100 * share).toFixed(1)} %`);
