/** One sound through several models, and a model that hears itself. */
import { work, type Sound, type Timbre, type Wavae } from "./api";
import { choice, el, labelled, number, panel, row, slider } from "./dom";
import { attempt, refresh, soundChoice, soundSource } from "./sounds";
import { SoundView } from "./soundview";

export function transferTab(models: Wavae[], timbres: Timbre[]): HTMLElement {
  const source = new SoundView("Source");
  const sound = soundChoice();
  const results = el("div", { className: "two" });
  const names = [...models.filter((m) => m.name !== "base").map((m) => m.name), ...timbres.map((t) => `timbre:${t.name}`)];
  const boxes = names.map((name) => el("input", { type: "checkbox", checked: ["strings", "singing", "timbre:violin"].includes(name) }));
  const go = el("button", { className: "main" }, "Transfer");
  go.onclick = () => attempt(async () => {
    const id = source.sound?.id ?? sound.value;
    const chosen = names.filter((_, i) => boxes[i]!.checked);
    const got = await work<{ sounds: Sound[] }>("/transfer", { sound: id, models: chosen });
    const views = got.sounds.map((_, i) => new SoundView(chosen[i] ?? "Result"));
    results.replaceChildren(...views.map((v) => v.element));
    await Promise.all(views.map((v, i) => v.show(got.sounds[i]!)));
    await refresh();
  });
  return el("div", {}, panel("Sound", soundSource((s) => void source.show(s)), row(...names.map((n, i) => labelled(n.replace("timbre:", ""), boxes[i]!))), row(go)), source.element, results);
}

export function feedbackTab(models: Wavae[]): HTMLElement {
  const model = choice(models.map((m) => m.name));
  if (models.some((m) => m.name === "screams")) model.value = "screams";
  const result = new SoundView("Loop");
  const [frequency, q, factor] = [slider(0, 1, 0.01, 0.5), slider(0.5, 20, 0.1, 5), slider(0.5, 1.5, 0.01, 1.1)];
  const duration = number(1, 60, 1, 6);
  const shown = el("p", { className: "values" });
  const hz = () => Math.round(80 * 60 ** Number(frequency.value));
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
  for (const knob of [frequency, q, factor]) { knob.oninput = tell; knob.onchange = () => void render(); }
  tell();
  return el("div", {}, panel("Feedback", row(labelled("Model", model), labelled("Duration (s)", duration), go),
    row(labelled("Frequency", frequency), labelled("Q", q), labelled("Feedback", factor)), shown), result.element);
}
