// A blind listening test in one file.
import { AbxView } from "./abxview";
import { Deck } from "./deck";
import { $ } from "./dom";
import { card as read, sounds } from "./inside";
import { RatingView } from "./ratingview";
import { freshSeed } from "./random";
import { Strip } from "./strip";
import type { Session } from "./results";

const card = read();
const notice = (text: string) => ($("notice").textContent = text);
const volume = $<HTMLInputElement>("volume");

document.title = `${card.title} · vqsynth`;
$("title").textContent = card.title;
const level = card.level === null ? "Levels are as they were, not matched." : `All sounds were made equally loud (${card.level.toFixed(1)} LUFS, ITU-R BS.1770).`;
$("about").textContent = `${card.sounds.length} sounds, ${card.seconds.toFixed(1)} s each. ${level} Headphones, please; set the volume first and leave it.`;
$("foot").textContent = `Test ${card.test}, made with vqsynth ${card.vqsynth_version}. Nothing leaves this page: results are a file that you save.`;

const begin = (): Session => ({
  card,
  seed: card.seed ?? freshSeed(),
  listener: $<HTMLInputElement>("listener").value.trim(),
  date: new Date().toISOString(),
});

async function open(): Promise<void> {
  const context = new AudioContext({ sampleRate: card.sample_rate });
  const deck = new Deck(context);
  const loud = () => {
    deck.output.gain.setTargetAtTime(10 ** (Number(volume.value) / 20), context.currentTime, 0.02);
    volume.setAttribute("aria-valuetext", `${volume.value} dB`);
  };
  deck.output.gain.value = 10 ** (Number(volume.value) / 20);
  volume.addEventListener("input", loud);
  const buffers = await sounds(context, card);
  deck.load([buffers[0]!]);
  const strip = new Strip(deck, buffers[0]!.duration);
  const views = {
    abx: new AbxView($("abx"), deck, buffers, begin, notice),
    rating: new RatingView($("rating"), deck, buffers, begin, notice),
  };
  let shown: keyof typeof views = "abx";
  const names = Object.keys(views) as (keyof typeof views)[];
  const show = (name: keyof typeof views) => {
    shown = name;
    deck.stop();
    for (const one of names) {
      const tab = $(`tab-${one}`);
      $(one).hidden = one !== name;
      tab.setAttribute("aria-selected", String(one === name));
      tab.tabIndex = one === name ? 0 : -1;
    }
    if (!views[name].running) deck.load([buffers[0]!]);
    views[name].show();
  };
  names.forEach((name, k) => {
    const tab = $(`tab-${name}`);
    tab.addEventListener("click", () => show(name));
    tab.addEventListener("keydown", (event) => {
      if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
      const other = names[1 - k]!;
      show(other);
      $(`tab-${other}`).focus();
    });
  });
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if ((event.target as HTMLElement).matches("input[type=text], input[type=number]")) return;
    const key = event.key.toLowerCase();
    if (key === "p") strip.toggle();
    else views[shown].key(key);
  });
  notice("");
  // For scripts.
  Object.assign(window, { vqsynth: { deck, views } });
}

open().catch((error: Error) => notice(`This page cannot play: ${error.message}`));
