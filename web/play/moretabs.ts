/** One sound through several models, and a model that hears itself. */
import { work, type Sound } from "./api";
import { el, labelled, number, panel, row, slider } from "./dom";
import { modelChoice, whenModels } from "./models";
import { attempt, refresh, soundChoice, soundSource } from "./sounds";
import { SoundView } from "./soundview";
import { receives } from "./stage";

export function transferTab(): HTMLElement {
  const source = new SoundView("Source");
  const sound = soundChoice();
  const results = el("div", { className: "two" });
  receives("Transfer", (s) => source.show(s));
  const chosen = new Set(["strings", "singing", "timbre:violin"]);
  let names: string[] = [];
  const boxes = row();
  whenModels((models) => {
    names = [...models.wavae.filter((m) => m.name !== "base").map((m) => m.name), ...models.timbres.map((t) => `timbre:${t.name}`)];
    boxes.replaceChildren(...names.map((name) => {
      const box = el("input", { type: "checkbox", checked: chosen.has(name) });
      box.onchange = () => { if (box.checked) chosen.add(name); else chosen.delete(name); };
      return labelled(name.replace("timbre:", ""), box);
    }));
  });
  const go = el("button", { className: "main" }, "Transfer");
  go.onclick = () => attempt(async () => {
    const id = source.sound?.id ?? sound.value;
    const asked = names.filter((name) => chosen.has(name));
    const got = await work<{ sounds: Sound[] }>("/transfer", { sound: id, models: asked });
    const views = got.sounds.map((_, i) => new SoundView(asked[i] ?? "Result"));
    results.replaceChildren(...views.map((v) => v.element));
    await Promise.all(views.map((v, i) => v.show(got.sounds[i]!)));
    await refresh();
  });
  return el("div", {}, panel("Sound", soundSource((s) => void source.show(s)), boxes, row(go)), source.element, results);
}

export function feedbackTab(): HTMLElement {
  const model = modelChoice("wavae", "screams");
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
