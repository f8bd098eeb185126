/** The files a model shall learn from: dropped, chosen or made, sent, and what the check says of each. */
import { bytes, post, say, work, type Sound } from "./api";
import { el, panel, row } from "./dom";
import { attempt } from "./sounds";

interface Checked { name: string; decision: string; reason: string; seconds: number; level?: number | null; pitch?: [number, number] | null }

const SOUND = /\.(wav|wave|wavex|rf64|w64|flac|ogg|oga|opus|mp[123]|mpga|aiff?|aifc|au|snd|caf|voc|nist|sph|avr)$/i;
const EXAMPLE = "flute";
/** Phrases of the example: pitch and brightness, six seconds each. */
const PHRASES: object[] = [
  { f0: { shape: "steps", periods: 6, range: [262, 523] } }, { f0: { shape: "steps", periods: 6, down: true, range: [392, 784] } },
  { f0: { note: "A4" }, centroid: { shape: "arch" } }, { f0: { shape: "arch", range: [294, 587] } }];

/** All files of what was dropped, whatever folders they are in. */
async function within(entry: FileSystemEntry): Promise<File[]> {
  if (entry.isFile) return [await new Promise<File>((done, wrong) => (entry as FileSystemFileEntry).file(done, wrong))];
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: File[] = [];
  for (;;) { // A reader gives a hundred at a time.
    const some = await new Promise<FileSystemEntry[]>((done, wrong) => reader.readEntries(done, wrong));
    if (!some.length) return found;
    for (const one of some) found.push(...await within(one));
  }
}

export class Recordings {
  readonly element: HTMLElement;
  /** The set on the server, once a file was sent. */
  set: string | undefined;
  seconds = 0;
  changed: () => void = () => {};
  private sent = 0;
  private readonly others: string[] = [];
  private readonly table = el("table", { className: "files" });
  private readonly anew = el("button", { hidden: true }, "Begin anew");
  private readonly summary = el("p", { className: "values", "aria-live": "polite" });

  constructor() {
    const files = el("input", { type: "file", multiple: true, accept: "audio/*", "aria-label": "Recordings" });
    const folder = el("input", { type: "file", "aria-label": "Folder of recordings" });
    folder.webkitdirectory = true;
    for (const input of [files, folder]) {
      input.className = "unseen";
      input.onchange = () => { const given = [...(input.files ?? [])]; input.value = ""; void this.take(given); };
    }
    const pick = (text: string, input: HTMLInputElement, className = "") => {
      const made = el("button", { className }, text);
      made.onclick = () => input.click();
      input.tabIndex = -1;
      return made;
    };
    const example = el("button", {}, `Use example: a ${EXAMPLE}`);
    example.onclick = () => void this.example();
    const anew = this.anew;
    anew.onclick = () => this.forget();
    const zone = el("div", { className: "drop", role: "group", "aria-label": "Drop recordings here" },
      el("p", {}, el("strong", {}, "Drop a folder or sound files here"), el("br"), "One instrument or voice; ten minutes are plenty, a dozen notes do. They stay on the computer that vqsynth runs on."),
      row(pick("Choose files", files, "main"), pick("Choose a folder", folder), example, anew, files, folder));
    zone.ondragover = (e) => { e.preventDefault(); zone.classList.add("over"); };
    zone.ondragleave = () => zone.classList.remove("over");
    zone.ondrop = (e) => {
      e.preventDefault();
      zone.classList.remove("over");
      const entries = [...(e.dataTransfer?.items ?? [])].map((item) => item.webkitGetAsEntry()).filter((x): x is FileSystemEntry => x !== null);
      const plain = [...(e.dataTransfer?.files ?? [])];
      void attempt(async () => this.take(entries.length ? (await Promise.all(entries.map(within))).flat() : plain));
    };
    this.element = panel("1. Recordings", zone, this.summary, el("div", { className: "scrolled" }, this.table));
  }

  forget(): void {
    this.set = undefined;
    this.seconds = this.sent = 0;
    this.others.splice(0);
    this.table.replaceChildren();
    this.summary.textContent = "";
    this.anew.hidden = true;
    this.changed();
  }

  /** Send files, then let all be checked. */
  take(files: File[]): Promise<void> {
    return attempt(async () => {
      const shown = files.filter((f) => !f.name.startsWith("."));
      const sounds = shown.filter((f) => f.type.startsWith("audio/") || SOUND.test(f.name));
      this.others.push(...shown.filter((f) => !sounds.includes(f)).map((f) => f.name));
      const refused: string[] = [];
      for (const [i, file] of sounds.entries()) {
        this.summary.textContent = `Sending ${i + 1} of ${sounds.length}: ${file.name}`;
        try { await this.send(file, file.name); } catch (error) { refused.push(`${file.name}: ${(error as Error).message}`); }
      }
      await this.check();
      if (refused.length) say(refused.join("; "), true);
    });
  }

  private async send(file: Blob, name: string): Promise<void> {
    this.set ??= (await post<{ set: { id: string } }>("/training")).set.id;
    await bytes(`/training/${this.set}/files?name=${encodeURIComponent(name)}`, { method: "POST", body: file });
    this.sent++;
    this.anew.hidden = false;
  }

  private example(): Promise<void> {
    return attempt(async () => {
      for (const [i, targets] of PHRASES.entries()) {
        this.summary.textContent = `Playing phrase ${i + 1} of ${PHRASES.length} on the ${EXAMPLE} that ships`;
        const { sound } = await work<{ sound: Sound }>(`/timbres/${EXAMPLE}/render`, { targets, duration: 6, take: i, name: `${EXAMPLE} phrase ${i + 1}` });
        await this.send(await (await bytes(`/sounds/${sound.id}/audio.flac?bits=24`)).blob(), `${EXAMPLE}-phrase-${i + 1}.flac`);
      }
      await this.check();
    });
  }

  private async check(): Promise<void> {
    if (!this.sent) {
      this.summary.textContent = "None of these files is a sound: send WAV, FLAC, OGG, MP3 or AIFF.";
      return;
    }
    this.summary.textContent = "Checking";
    const got = await work<{ files: Checked[]; seconds: number }>(`/training/${this.set}/check`);
    this.seconds = got.seconds;
    const others = this.others.map((name): Checked => ({ name, decision: "left out", reason: "no sound file", seconds: 0 }));
    const rows = [...got.files, ...others];
    const used = rows.filter((r) => r.decision !== "left out").length;
    const length = got.seconds < 90 ? `${got.seconds.toFixed(0)} s` : `${(got.seconds / 60).toFixed(1)} minutes`;
    this.summary.textContent = `${used} of ${rows.length} file${rows.length === 1 ? "" : "s"} will be used: ${length} of sound.`
      + (used && got.seconds < 20 ? " That is little: a minute or more gives a better model." : "");
    const number = (v: number | null | undefined, digits: number) => (typeof v === "number" ? v.toFixed(digits) : "–");
    this.table.replaceChildren(
      el("caption", { className: "unseen" }, "What the check says of every file"),
      el("tr", {}, ...["File", "Verdict", "Why", "Seconds", "Level (LUFS)", "Pitch (Hz)"].map((h) => el("th", { scope: "col" }, h))),
      ...rows.map((r) => el("tr", { "data-decision": r.decision }, el("td", {}, r.name), el("td", { className: "verdict" }, r.decision), el("td", {}, r.reason || "–"),
        el("td", { className: "number" }, number(r.seconds, 1)), el("td", { className: "number" }, number(r.level, 1)),
        el("td", { className: "number" }, r.pitch ? [...new Set(r.pitch.map((hz) => hz.toFixed(0)))].join(" to ") : "–"))));
    this.changed();
  }
}
