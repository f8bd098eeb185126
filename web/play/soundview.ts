/** A sound: its waveform with a selection, its mel spectrogram, what plays it and what it can be saved as. */
import { floats, link, say, type Sound } from "./api";
import { colour, el, fitted, panel, row } from "./dom";
import { play, playing, stop } from "./player";
import { recipeView } from "./recipe";
import { Spectrogram, type Span } from "./spectrogram";
import { places, send, whenReceivers } from "./stage";

export class SoundView {
  readonly element: HTMLElement;
  sound: Sound | undefined;
  loop = false;
  private selection: [number, number] | undefined;
  private peaks: Span & { values: Float32Array } = { from: 0, to: 1, values: new Float32Array() };
  /** Views that show the same part as this one. */
  others: SoundView[] = [];
  private readonly wave = el("canvas", { className: "wave", role: "img" });
  readonly mel = new Spectrogram();
  private readonly about = el("p", { className: "values" });
  private readonly links = el("span", {});
  private readonly recipe = recipeView();
  private readonly button = el("button", { disabled: true }, "Play");

  constructor(private readonly title: string) {
    const loop = el("button", { "aria-pressed": "false" }, "Loop");
    loop.onclick = () => { this.loop = !this.loop; loop.setAttribute("aria-pressed", String(this.loop)); };
    this.button.onclick = () => void this.toggle();
    const to = el("select", { "aria-label": `Send ${title} to` });
    whenReceivers(() => to.replaceChildren(el("option", { value: "" }, "Send to"), ...places().map((place) => el("option", { value: place }, place))));
    to.onchange = () => {
      const place = to.value;
      to.value = "";
      if (this.sound && place) void send(this.sound, place).catch((error: Error) => say(error.message, true));
    };
    this.element = panel(title, row(this.button, loop, to, this.links), this.recipe.element, this.wave, this.mel.canvas, this.about);
    let from = 0;
    const at = (e: PointerEvent) => {
      const { from, to } = this.mel.span;
      const share = Math.min(1, Math.max(0, (e.clientX - this.wave.getBoundingClientRect().left) / this.wave.clientWidth));
      return (from + share * (to - from)) / (this.sound?.seconds ?? 1);
    };
    this.wave.onpointerdown = (e) => { this.wave.setPointerCapture(e.pointerId); from = at(e); this.selection = undefined; this.paint(); };
    this.wave.onpointermove = (e) => { if (e.buttons) { const to = at(e); this.selection = [Math.min(from, to), Math.max(from, to)]; this.paint(); } };
    new ResizeObserver(() => this.paint()).observe(this.wave);
    let soon = 0;
    // The waveform shows the same part: at once what is known of it, then as fine as can be.
    this.mel.moved = (span) => {
      this.paint();
      this.others.forEach((other) => { if (other.sound) other.mel.look(within(span, other.sound.seconds), false); other.paint(); });
      clearTimeout(soon);
      soon = window.setTimeout(() => { for (const view of [this, ...this.others]) void view.askPeaks().catch(() => undefined); }, 120);
    };
  }

  async toggle(): Promise<void> {
    if (playing()) return stop();
    await this.play();
  }

  async play(): Promise<void> {
    if (!this.sound) return;
    const [from, to] = this.selection && (this.selection[1] - this.selection[0]) * this.sound.seconds > 0.02 ? this.selection : [0, 1];
    try { await play(this.sound, { loop: this.loop, from: from * this.sound.seconds, to: to * this.sound.seconds }); }
    catch (error) { say((error as Error).message, true); }
  }

  async show(sound: Sound): Promise<void> {
    this.sound = sound;
    this.selection = undefined;
    this.element.dataset.sound = sound.id;
    this.button.disabled = false;
    this.about.textContent = `${sound.name}, ${sound.seconds.toFixed(2)} s${sound.licence ? `, ${sound.licence}` : ""}`;
    const save = (text: string, path: string) => el("a", { href: link(`/sounds/${sound.id}/${path}`), download: path }, text);
    this.links.replaceChildren(save("WAV", "audio.wav"), " ", ...(sound.origin === "render" ? [save("Curves (CSV)", "curves.csv"), " "] : []),
      ...(sound.recipe ? [save("Recipe and all files", "bundle.zip")] : []));
    this.recipe.of(sound);
    this.wave.setAttribute("aria-label", `${this.title}: ${sound.name}`);
    await Promise.all([this.mel.show(sound, this.title), this.askPeaks()]);
  }

  private async askPeaks(): Promise<void> {
    const sound = this.sound;
    if (!sound) return;
    const { from, to } = this.mel.span;
    const values = await floats(`/sounds/${sound.id}/peaks?columns=800&start=${from}&end=${to}`);
    if (this.sound !== sound) return;
    this.peaks = { from, to, values };
    this.paint();
  }

  private paint(): void {
    const [context, width, height] = fitted(this.wave);
    const { from, to, values } = this.peaks;
    const span = this.mel.span;
    const x = (time: number) => ((time - span.from) / (span.to - span.from)) * width;
    const columns = values.length / 2;
    if (this.selection && this.sound) {
      const [start, end] = this.selection.map((share) => x(share * this.sound!.seconds)) as [number, number];
      context.fillStyle = colour("line");
      context.fillRect(start, 0, end - start, height);
    }
    context.fillStyle = colour("accent");
    const wide = ((to - from) / columns / (span.to - span.from)) * width;
    for (let c = 0; c < columns; c++) {
      const [low, high] = [values[2 * c]!, values[2 * c + 1]!];
      context.fillRect(x(from + (c / columns) * (to - from)), (height * (1 - high)) / 2, Math.max(1, wide), Math.max(1, (height * (high - low)) / 2));
    }
  }
}

/** A span within a sound that may be shorter. */
function within({ from, to }: Span, seconds: number): Span {
  return from < seconds - 0.1 ? { from, to: Math.min(to, seconds) } : { from: 0, to: seconds };
}
