// Two octaves of keys: mouse, fingers, letters of the computer's keyboard.

const LETTERS = "awsedftgyhujkolp";
const WHITE = [0, 2, 4, 5, 7, 9, 11];
const NAMES = ["C", "C sharp", "D", "E flat", "E", "F", "F sharp", "G", "A flat", "A", "B flat", "B"];

export class Keyboard {
  private keys = new Map<number, HTMLButtonElement>();
  private readonly typed = new Map<string, number>();

  constructor(
    private readonly room: HTMLElement,
    private first: number,
    private readonly on: (note: number) => void,
    private readonly off: (note: number) => void,
    /** Whether letters play at present. */
    private readonly listens: () => boolean = () => true,
  ) {
    this.build();
    const pointers = new Map<number, number>();
    const under = (event: PointerEvent) => {
      const key = document.elementFromPoint(event.clientX, event.clientY) as HTMLElement | null;
      return key?.dataset.note && this.room.contains(key) ? Number(key.dataset.note) : null;
    };
    const release = (event: PointerEvent) => {
      const note = pointers.get(event.pointerId);
      if (note !== undefined) this.off(note);
      pointers.delete(event.pointerId);
    };
    room.addEventListener("pointerdown", (event) => {
      const note = under(event);
      if (note === null) return;
      (event.target as Element).releasePointerCapture?.(event.pointerId);
      pointers.set(event.pointerId, note);
      this.on(note);
    });
    addEventListener("pointermove", (event) => {
      const before = pointers.get(event.pointerId);
      const note = before === undefined ? null : under(event);
      if (before === undefined || note === null || note === before) return;
      this.on(note);
      this.off(before);
      pointers.set(event.pointerId, note);
    });
    for (const name of ["pointerup", "pointercancel"] as const) addEventListener(name, release);
    addEventListener("keydown", (event) => this.letter(event, true));
    addEventListener("keyup", (event) => this.letter(event, false));
    addEventListener("blur", () => {
      for (const note of this.typed.values()) this.off(note);
      this.typed.clear();
    });
  }

  move(octaves: number): void {
    this.begin(this.first + 12 * octaves);
  }

  /** The lowest key. */
  begin(note: number): void {
    this.first = Math.max(12, Math.min(96, note));
    this.build();
  }

  /** Show which notes sound. */
  show(note: number, down: boolean): void {
    this.keys.get(note)?.classList.toggle("down", down);
  }

  private letter(event: KeyboardEvent, down: boolean): void {
    const key = event.key.toLowerCase();
    if (!down) {
      const note = this.typed.get(key);
      if (note !== undefined) this.off(note);
      this.typed.delete(key);
      return;
    }
    const target = event.target as HTMLElement;
    if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!this.listens() || target.matches("select, textarea, input[type=number], input[type=text]")) return;
    if (key === "z" || key === "x") return this.move(key === "x" ? 1 : -1);
    const step = LETTERS.indexOf(key);
    if (step < 0 || this.typed.has(key)) return;
    this.typed.set(key, this.first + step);
    this.on(this.first + step);
  }

  private build(): void {
    this.room.replaceChildren();
    this.keys = new Map();
    const whites = 15;
    let place = 0;
    for (let step = 0; step <= 24; step++) {
      const note = this.first + step;
      const key = document.createElement("button");
      const white = WHITE.includes(step % 12);
      const octave = Math.floor(note / 12) - 1;
      key.type = "button";
      key.dataset.note = String(note);
      key.className = white ? "white" : "black";
      key.setAttribute("aria-label", `${NAMES[note % 12]} ${octave}`);
      if (white) {
        if (step % 12 === 0) key.textContent = `C${octave}`;
        place++;
      } else {
        key.tabIndex = -1;
        key.style.left = `${((place - 0.3) / whites) * 100}%`;
        key.style.width = `${(0.6 / whites) * 100}%`;
      }
      key.addEventListener("keydown", (event) => {
        if (event.key === "Enter" && !event.repeat) this.on(note);
      });
      key.addEventListener("keyup", (event) => event.key === "Enter" && this.off(note));
      this.keys.set(note, key);
      this.room.append(key);
    }
  }
}
