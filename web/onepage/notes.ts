// Notes of keys, pad and devices, and which of them sound.
import type { Engine } from "../engine/engine";
import { Keyboard } from "../parts/keyboard";
import type { PadNotes } from "../parts/pad";

export class Notes implements PadNotes {
  private readonly sounding = new Set<number>();
  private readonly keyboard: Keyboard;
  private padNote: number | null = null;

  constructor(
    room: HTMLElement,
    /** What the pad plays before a key was played. */
    private last: number,
    private readonly velocity: HTMLInputElement,
    private readonly engine: () => Engine | undefined,
    private readonly power: (wanted: boolean) => Promise<void>,
  ) {
    this.keyboard = new Keyboard(room, 12 * Math.round((last - 12) / 12), (note) => void this.on(note), (note) => this.off(note));
  }

  async on(note: number, velocity = Number(this.velocity.value)): Promise<void> {
    this.last = note;
    this.sounding.add(note);
    this.keyboard.show(note, true);
    this.engine()?.noteOn(note, velocity);
    await this.power(true);
  }

  off(note: number): void {
    this.sounding.delete(note);
    this.keyboard.show(note, false);
    this.engine()?.noteOff(note);
  }

  move(octaves: number): void {
    this.keyboard.move(octaves);
  }

  /** The pad is touched. */
  begin(): void {
    this.padNote = this.last;
    this.engine()?.noteOn(this.padNote, Number(this.velocity.value));
    void this.power(true);
  }

  /** It is let go of; a key that is held sounds on. */
  end(): void {
    if (this.padNote !== null && !this.sounding.has(this.padNote)) this.engine()?.noteOff(this.padNote);
    this.padNote = null;
  }
}
