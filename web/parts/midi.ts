// Notes, bend and controllers of a MIDI device.

export interface Hands {
  on(note: number, velocity: number): void;
  off(note: number): void;
  bend(semitones: number): void;
  /** A controller, 0 to 1. */
  turn(controller: number, share: number): void;
}

/** Controls that a device's controllers move. */
export const TURNED: Record<number, string> = { 1: "bandwidth", 7: "gain", 74: "centroid" };

/** Listen to all devices, also to those that come later; gives the names of those there are. */
export async function listen(hands: Hands): Promise<string[]> {
  if (!navigator.requestMIDIAccess) throw new Error("this browser has no Web MIDI; Chrome, Edge and Firefox have");
  const access = await navigator.requestMIDIAccess();
  const heard = (event: MIDIMessageEvent) => {
    const [status = 0, first = 0, second = 0] = event.data ?? [];
    const kind = status >> 4;
    if (kind === 9 && second > 0) hands.on(first, second / 127);
    else if (kind === 8 || kind === 9) hands.off(first);
    else if (kind === 14) hands.bend((2 * ((second << 7) + first - 8192)) / 8192);
    else if (kind === 11) hands.turn(first, second / 127);
  };
  const connect = () => {
    for (const input of access.inputs.values()) input.onmidimessage = heard;
  };
  access.onstatechange = connect;
  connect();
  return [...access.inputs.values()].map((input) => input.name ?? "a device");
}
