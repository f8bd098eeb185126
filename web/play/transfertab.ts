/** One sound through several models. */
import { work, type Sound } from "./api";
import { el, labelled, panel, row } from "./dom";
import { whenModels } from "./models";
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
    // All of them show the same part.
    for (const view of [source, ...views]) view.others = [source, ...views].filter((other) => other !== view);
    results.replaceChildren(...views.map((v) => v.element));
    await Promise.all(views.map((v, i) => v.show(got.sounds[i]!)));
    await refresh();
  });
  return el("div", {}, panel("Sound", soundSource((s) => void source.show(s)), boxes, row(go)), source.element, results);
}
