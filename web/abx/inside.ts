// What the test was written with: card and sounds.

export interface Sounding {
  name: string;
  lufs: number | null;
  gain_db: number;
  own_rate: number;
}

export interface Card {
  title: string;
  /** Of the sounds, so that results of one test are known as such. */
  test: string;
  /** The first is the reference. */
  sounds: Sounding[];
  anchors: string[];
  sample_rate: number;
  seconds: number;
  /** LUFS that all were brought to; null: levels are as they were. */
  level: number | null;
  /** ABX trials of a pair. */
  trials: number;
  seed: number | null;
  vqsynth_version: string;
}

function text(id: string): string {
  const found = document.getElementById(id)?.textContent;
  if (!found) throw new Error(`this page is not whole: it lacks ${id}`);
  return found;
}

export const card = (): Card => JSON.parse(text("card")) as Card;

/** The sounds, then the anchors, decoded at their own rate. */
export async function sounds(context: BaseAudioContext, card: Card): Promise<AudioBuffer[]> {
  const found: AudioBuffer[] = [];
  for (let k = 0; k < card.sounds.length + card.anchors.length; k++) {
    const letters = atob(text(`sound${k}`).trim());
    const bytes = Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
    document.getElementById(`sound${k}`)!.remove();
    found.push(await context.decodeAudioData(bytes.buffer));
  }
  return found;
}
