// Several sounds that run in step, of which one is heard.

const SWITCH = 0.012;
/** Seconds of the ends of a loop that rise and fall, so that its seam does not click. */
const EDGE = 0.005;

interface Track {
  source: AudioBufferSourceNode;
  gain: GainNode;
  /** The last fade: from, to, its beginning. */
  from: number;
  to: number;
  at: number;
}

export class Deck {
  readonly output: GainNode;
  playing = false;
  heard = 0;
  switches = 0;
  private tracks: Track[] = [];
  private sounds: AudioBuffer[] = [];
  private range: [number, number] = [0, 0];
  private began = 0;

  constructor(readonly context: AudioContext) {
    this.output = new GainNode(context);
    this.output.connect(context.destination);
  }

  /** Sounds of one length; the same may be there twice. */
  load(sounds: AudioBuffer[]): void {
    const going = this.playing;
    this.stop();
    const seconds = sounds[0]!.duration;
    if (this.sounds[0]?.duration !== seconds) this.range = [0, seconds];
    this.sounds = sounds;
    [this.heard, this.switches] = [0, 0];
    if (going) void this.play();
  }

  get selection(): [number, number] {
    return this.range;
  }

  /** Loop a part, in seconds. */
  select(start: number, end: number): void {
    const going = this.playing;
    this.range = [start, end];
    if (!going) return;
    this.stop();
    void this.play();
  }

  async play(): Promise<void> {
    if (this.playing) return;
    this.playing = true;
    await this.context.resume();
    if (!this.playing || this.tracks.length) return;
    // All begin with the same sample.
    const at = this.context.currentTime + 0.02;
    this.began = at;
    this.tracks = this.sounds.map((sound, k) => {
      const gain = new GainNode(this.context, { gain: 0 });
      const source = new AudioBufferSourceNode(this.context, { buffer: this.part(sound), loop: true });
      source.connect(gain).connect(this.output);
      source.start(at);
      const track = { source, gain, from: 0, to: Number(k === this.heard), at: at - SWITCH };
      gain.gain.setValueAtTime(track.to, at);
      return track;
    });
  }

  stop(): void {
    this.playing = false;
    const now = this.context.currentTime;
    for (const track of this.tracks) {
      this.fade(track, 0, now);
      track.source.stop(now + 2 * SWITCH);
    }
    this.tracks = [];
  }

  /** Hear another sound from now on, where the one before was. */
  choose(number: number): void {
    if (number === this.heard) return;
    this.heard = number;
    this.switches++;
    const now = this.context.currentTime;
    this.tracks.forEach((track, k) => this.fade(track, Number(k === number), now));
  }

  /** Where it is, in seconds of the sound. */
  place(): number {
    const [start, end] = this.range;
    return this.playing ? start + (Math.max(0, this.context.currentTime - this.began) % (end - start)) : start;
  }

  /** A straight fade: two gains add up to one, so that nothing is heard between equal sounds. */
  private fade(track: Track, to: number, now: number): void {
    const done = Math.max(0, Math.min(1, (now - track.at) / SWITCH));
    const level = track.from + (track.to - track.from) * done;
    track.gain.gain.cancelScheduledValues(now);
    track.gain.gain.setValueAtTime(level, now);
    track.gain.gain.linearRampToValueAtTime(to, now + SWITCH);
    [track.from, track.to, track.at] = [level, to, now];
  }

  private part(sound: AudioBuffer): AudioBuffer {
    const { sampleRate, numberOfChannels } = sound;
    const first = Math.floor(this.range[0] * sampleRate);
    const length = Math.max(1, Math.min(sound.length, Math.ceil(this.range[1] * sampleRate)) - first);
    const made = new AudioBuffer({ length, sampleRate, numberOfChannels });
    const edge = Math.min(Math.floor(length / 2), Math.round(EDGE * sampleRate));
    for (let channel = 0; channel < numberOfChannels; channel++) {
      const samples = sound.getChannelData(channel).slice(first, first + length);
      for (let k = 0; k < edge; k++) {
        samples[k]! *= k / edge;
        samples[length - 1 - k]! *= k / edge;
      }
      made.copyToChannel(samples, channel);
    }
    return made;
  }
}
