/** The whole window as one file, and back. */
import { bytes, link, say, work, type Path, type Sound } from "./api";
import { el } from "./dom";
import { attempt, refresh } from "./sounds";
import { kept, type Found } from "./stage";

interface Restored { sounds: (Sound & { was: string })[]; paths: (Path & { was: string })[]; renders: ({ id: string; timbre: string } & Record<string, unknown>)[]; view: any }

async function save(): Promise<void> {
  const tabs = [...kept].flatMap(([name, tab]) => { const its = tab.save(); return its ? [[name, its] as const] : []; });
  const view = { tabs: Object.fromEntries(tabs.map(([name, its]) => [name, its.state])), tab: document.querySelector("[role=tab][aria-selected=true]")?.textContent,
    keep: { paths: tabs.flatMap(([, its]) => its.paths), sounds: tabs.flatMap(([, its]) => its.sounds) } };
  await bytes("/session/view", { method: "PUT", body: JSON.stringify(view) });
  const file = el("a", { href: link("/session/file?audio=1"), download: "session.vqsynth.json" });
  file.click();
  say("Saved: sounds, latent paths, drawn curves and snapshots are in the file.");
}

async function open(file: File): Promise<void> {
  const restored: Restored = await (await bytes("/session/file", { method: "POST", body: file })).json();
  const made = new Map<string, Promise<Sound>>(restored.sounds.map((sound) => [sound.was, Promise.resolve(sound)]));
  const found: Found = {
    path(id) {
      const path = restored.paths.find((p) => p.was === id);
      if (!path) throw new Error("the session file lacks a path that it names; it is damaged");
      return path;
    },
    sound(id) {
      let sound = made.get(id);
      if (!sound) {
        const render = restored.renders.find((r) => r.id === id);
        if (!render) throw new Error("the session file lacks a sound that it names; it is damaged");
        const { id: _, timbre, latest: __, ...asked } = render;
        sound = work<{ sound: Sound }>(`/timbres/${encodeURIComponent(timbre)}/render`, asked).then((r) => r.sound);
        made.set(id, sound);
      }
      return sound;
    },
  };
  for (const [name, state] of Object.entries(restored.view?.tabs ?? {})) await kept.get(name)?.open(state, found);
  await refresh();
  [...document.querySelectorAll<HTMLButtonElement>("[role=tab]")].find((tab) => tab.textContent === restored.view?.tab)?.click();
  say("The session is open.");
}

/** The two buttons of the head of the page. */
export function sessionButtons(): HTMLElement {
  const saving = el("button", {}, "Save session");
  saving.onclick = () => void attempt(save);
  const file = el("input", { type: "file", accept: ".json", className: "unseen", tabIndex: -1, "aria-label": "Session file" });
  file.onchange = () => { const chosen = file.files?.[0]; file.value = ""; if (chosen) void attempt(() => open(chosen)); };
  const opening = el("button", {}, "Open session");
  opening.onclick = () => file.click();
  return el("span", { className: "session" }, saving, " ", opening, file);
}
