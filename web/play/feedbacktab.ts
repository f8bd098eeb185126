/** A model that hears itself: rendered, or heard while the hand shapes it. */
import { upload, work, say, type Sound } from "./api";
import { wav } from "../engine/wav";
import { el, labelled, number, panel, row, slider } from "./dom";
import { LiveLoop } from "./liveloop";
import { modelChoice } from "./models";
import { stop } from "./player";
import { attempt, refresh } from "./sounds";
import { SoundView } from "./soundview";

export function feedbackTab(): HTMLElement {
  const model = modelChoice("wavae", "screams");
  const result = new SoundView("Loop");
  const [frequency, q, factor] = [slider(0, 1, 0.01, 0.5), slider(0.5, 20, 0.1, 5), slider(0.5, 1.5, 0.01, 1.1)];
  const duration = number(1, 60, 1, 6);
  const shown = el("p", { className: "values" });
  const hz = () => Math.round(80 * 60 ** Number(frequency.value));
  let live: LiveLoop | undefined;
  const tell = () => { shown.textContent = `${hz()} Hz, Q ${q.value}, factor ${factor.value}`; };
  const go = el("button", { className: "main" }, "Use example: render the loop");
  const render = () => attempt(async () => {
    try {
      await result.show((await work<{ sound: Sound }>("/feedback", { model: model.value, frequency: hz(), q: Number(q.value), feedback: Number(factor.value),
        duration: Number(duration.value), latest: "feedback" })).sound);
    } catch (error) { if ((error as Error).message !== "cancelled") throw error; }
    await refresh();
  });
  go.onclick = render;
  const sounding = el("button", { "aria-pressed": "false" }, "Live");
  const volume = document.getElementById("volume") as HTMLInputElement;
  const meter = el("p", { className: "values", role: "status", "aria-live": "off" });
  const keep = el("button", { disabled: true }, "Keep what was heard");
  const ended = (why = "") => {
    live = undefined;
    sounding.setAttribute("aria-pressed", "false");
    if (why) say(why, true);
  };
  const metered = (gaps: number, delay: number) => { meter.textContent = `A slider is heard after ${delay.toFixed(0)} ms; ${gaps} ${gaps === 1 ? "gap" : "gaps"}.`; };
  volume.addEventListener("input", () => { if (live) live.volume = Number(volume.value); });
  sounding.onclick = () => void attempt(async () => {
    if (live) return live.stop();
    stop();
    sounding.setAttribute("aria-pressed", "true");
    try {
      live = await LiveLoop.start(model.value, () => ({ frequency: hz(), q: Number(q.value), feedback: Number(factor.value) }), Number(volume.value), ended, metered);
    } catch (error) { ended(); throw error; }
    last = live;
    keep.disabled = false;
    say("The loop sounds; move the sliders. Live again ends it.");
  });
  let last: LiveLoop | undefined;
  keep.onclick = () => void attempt(async () => {
    const blocks = last?.blocks() ?? [];
    if (!blocks.length) return say("Nothing was heard yet.");
    const file = new Blob([wav(blocks, last!.rate)], { type: "audio/wav" });
    await result.show(await upload(file, `feedback ${model.value} ${hz()} Hz.wav`));
    await refresh();
  });
  model.onchange = () => live?.stop();
  for (const knob of [frequency, q, factor]) { knob.oninput = tell; knob.onchange = () => { if (!live) void render(); }; }
  // Another tab, or none at all, is no place for a howl to go on.
  const element = el("div", {}, panel("Feedback", row(labelled("Model", model), labelled("Duration (s)", duration), go, sounding, keep),
    row(labelled("Frequency", frequency), labelled("Q", q), labelled("Feedback", factor)), shown, meter), result.element);
  new MutationObserver(() => { if (element.hidden) live?.stop(); }).observe(element, { attributeFilter: ["hidden"] });
  tell();
  return element;
}
