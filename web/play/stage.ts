/** What tabs share: where a sound can be sent, and what of each tab is kept in a session. */
import type { Path, Sound } from "./api";

type Receiver = (sound: Sound) => Promise<unknown> | unknown;
const receivers = new Map<string, Receiver>();
const told: (() => void)[] = [];

/** A place that takes a sound, in the words of a menu: "Path", "Plane A". */
export function receives(name: string, take: Receiver): void { receivers.set(name, take); told.forEach((tell) => tell()); }
/** Be told which places there are, now and whenever there are more. */
export function whenReceivers(tell: () => void): void { told.push(tell); tell(); }
export const places = (): string[] => [...receivers.keys()];
/** Send a sound to a place, and go there. */
export async function send(sound: Sound, place: string): Promise<void> {
  document.querySelector<HTMLButtonElement>(`[aria-controls=tab-${place.split(" ")[0]!.toLowerCase()}]`)?.click();
  await receivers.get(place)?.(sound);
}

/** Finds again, after a session was opened, what its numbers meant. */
export interface Found { path(id: string): Path; sound(id: string): Promise<Sound> }
export interface Kept { state: unknown; paths: string[]; sounds: string[] }
export interface Tab { save(): Kept | undefined; open(state: any, found: Found): Promise<void> }
/** The tabs whose state a session keeps, by name. */
export const kept = new Map<string, Tab>();
