/** Where a sound comes from: an example, a file, the microphone; the sounds of the window. */
import { get, say, upload, work, type Sound } from "./api";
import { choice, el, labelled, row } from "./dom";
import { record } from "./player";

let shipped: { id: string; name: string }[] = [];
/** What soundSource offers: ask before the first is made. */
export async function askExamples(): Promise<void> { shipped = (await get<{ examples: typeof shipped }>("/examples")).examples; }

const listeners: ((sounds: Sound[]) => void)[] = [];
/** Be told when the sounds of this window change. */
export function whenSounds(tell: (sounds: Sound[]) => void): void { listeners.push(tell); void refresh(); }
export async function refresh(): Promise<void> {
  const { sounds } = await get<{ sounds: Sound[] }>("/sounds");
  listeners.forEach((tell) => tell(sounds));
}
/** Run something asked for by hand; what goes wrong is said at the foot. */
export async function attempt(task: () => Promise<unknown>): Promise<void> {
  try { await task(); } catch (error) { say((error as Error).message, true); }
}
/** A choice among the window's sounds. */
export function soundChoice(): HTMLSelectElement {
  const made = choice([]);
  whenSounds((sounds) => {
    const was = made.value;
    made.replaceChildren(...sounds.map((s) => el("option", { value: s.id }, `${s.name} (${s.seconds.toFixed(1)} s)`)));
    if (sounds.some((s) => s.id === was)) made.value = was;
  });
  return made;
}

export function soundSource(take: (sound: Sound) => void): HTMLElement {
  const examples = choice(shipped.map((e) => e.id), shipped.map((e) => e.name));
  const took = async (sound: Sound) => { take(sound); await refresh(); };
  const use = el("button", { className: "main" }, "Use example");
  use.onclick = () => attempt(async () => took((await work<{ sound: Sound }>(`/examples/${examples.value}`)).sound));
  const file = el("input", { type: "file", accept: "audio/*" });
  file.onchange = () => attempt(async () => { const f = file.files?.[0]; if (f) await took(await upload(f, f.name)); });
  const mic = el("button", {}, "Record");
  let done: (() => Promise<Blob>) | undefined;
  mic.onclick = () => attempt(async () => {
    if (done) { const end = done; done = undefined; mic.textContent = "Record"; await took(await upload(await end(), "recording.wav")); }
    else { done = await record(); mic.textContent = "Stop recording"; }
  });
  const made = row(labelled("Example", examples), use, labelled("File", file), mic);
  made.ondragover = (e) => e.preventDefault();
  made.ondrop = (e) => { e.preventDefault(); const f = e.dataTransfer?.files[0]; if (f) void attempt(async () => took(await upload(f, f.name))); };
  return made;
}
