// What is played, kept as a WAV file.
import type { Engine } from "../engine/engine";

export class Recorder {
  private recording = false;

  constructor(
    private readonly button: HTMLElement,
    private readonly link: HTMLAnchorElement,
    private readonly name: string,
    private readonly engine: () => Engine,
    private readonly power: (wanted: boolean) => Promise<void>,
  ) {
    button.addEventListener("click", () => this.pressed());
  }

  private async pressed(): Promise<void> {
    this.recording = !this.recording;
    this.button.setAttribute("aria-pressed", String(this.recording));
    this.button.textContent = this.recording ? "Stop" : "Record";
    if (this.recording) {
      this.engine().record();
      return this.power(true);
    }
    const { wav } = await this.engine().finish();
    URL.revokeObjectURL(this.link.href);
    this.link.href = URL.createObjectURL(new Blob([wav], { type: "audio/wav" }));
    this.link.download = `${this.name}.wav`;
    this.link.hidden = false;
  }
}
