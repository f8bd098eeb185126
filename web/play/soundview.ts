/** A sound: its waveform with a selection, its mel spectrogram, what plays it and what it can be saved as. */
import { bytes, floats, link, say, type Sound } from "./api";
import { colour, el, fitted, panel, row } from "./dom";
import { play, playing, stop } from "./player";
import { recipeView } from "./recipe";
import { places, send, whenReceivers } from "./stage";

export class SoundView {
  readonly element: HTMLElement;
  sound: Sound | undefined;
  loop = false;
  private selection: [number, number] | undefined;
  private peaks: Float32Array = new Float32Array();
  private readonly wave = el("canvas", { className: "wave", role: "img" });
  private readonly mel = el("canvas", { className: "mel", role: "img" });
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
    this.element = panel(title, row(this.button, loop, to, this.links), this.recipe.element, this.wave, this.mel, this.about);
    let from = 0;
    const at = (e: PointerEvent) => Math.min(1, Math.max(0, (e.clientX - this.wave.getBoundingClientRect().left) / this.wave.clientWidth));
    this.wave.onpointerdown = (e) => { this.wave.setPointerCapture(e.pointerId); from = at(e); this.selection = undefined; this.paint(); };
    this.wave.onpointermove = (e) => { if (e.buttons) { const to = at(e); this.selection = [Math.min(from, to), Math.max(from, to)]; this.paint(); } };
    new ResizeObserver(() => this.paint()).observe(this.wave);
  }

  async toggle(): Promise<void> {
    if (playing()) return stop();
    await this.play();
  }

  async play(): Promise<void> {
    if (!this.sound) return;
    const [from, to] = this.selection && this.selection[1] - this.selection[0] > 0.005 ? this.selection : [0, 1];
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
    for (const canvas of [this.wave, this.mel]) canvas.setAttribute("aria-label", `${this.title}: ${sound.name}`);
    const [peaks, mel] = await Promise.all([floats(`/sounds/${sound.id}/peaks?columns=800`), bytes(`/sounds/${sound.id}/mel`)]);
    const levels = new Uint8Array(await mel.arrayBuffer());
    if (this.sound !== sound) return;
    this.peaks = peaks;
    const [columns, bands] = [Number(mel.headers.get("X-Columns")), Number(mel.headers.get("X-Bands"))];
    this.mel.width = columns;
    this.mel.height = bands;
    const image = new ImageData(columns, bands);
    for (let c = 0; c < columns; c++) for (let b = 0; b < bands; b++) {
      const [r, g, blue] = heat(levels[c * bands + b]! / 255);
      image.data.set([r, g, blue, 255], 4 * ((bands - 1 - b) * columns + c));
    }
    this.mel.getContext("2d")!.putImageData(image, 0, 0);
    this.paint();
  }

  private paint(): void {
    const [context, width, height] = fitted(this.wave);
    const columns = this.peaks.length / 2;
    if (this.selection) {
      context.fillStyle = colour("line");
      context.fillRect(this.selection[0] * width, 0, (this.selection[1] - this.selection[0]) * width, height);
    }
    context.fillStyle = colour("accent");
    for (let c = 0; c < columns; c++) {
      const [low, high] = [this.peaks[2 * c]!, this.peaks[2 * c + 1]!];
      context.fillRect((c / columns) * width, (height * (1 - high)) / 2, Math.max(1, width / columns), Math.max(1, (height * (high - low)) / 2));
    }
  }
}

const STOPS = [[0, 0, 4], [59, 15, 112], [140, 41, 129], [222, 73, 104], [254, 159, 109], [252, 253, 191]];
/** Black over violet and orange to white: equal steps look equal (the colours of matplotlib's magma). */
export function heat(share: number): [number, number, number] {
  const at = Math.min(0.9999, Math.max(0, share)) * (STOPS.length - 1);
  const [a, b, t] = [STOPS[Math.floor(at)]!, STOPS[Math.floor(at) + 1]!, at % 1];
  return [0, 1, 2].map((i) => a[i]! + t * (b[i]! - a[i]!)) as [number, number, number];
}
