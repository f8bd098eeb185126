/** One sound at a time is heard; two that belong together are compared by a key. */
import { bytes, floats, type Sound } from "./api";

let context: AudioContext | undefined;
let out: GainNode | undefined;
let source: AudioBufferSourceNode | undefined;
let started = 0;
let volume = 0.8;
const kept = new Map<string, AudioBuffer>();

function ready(): AudioContext {
  if (!context) {
    context = new AudioContext();
    out = context.createGain();
    out.gain.value = volume;
    out.connect(context.destination);
  }
  void context.resume();
  return context;
}

export function setVolume(value: number): void {
  volume = value;
  if (out) out.gain.value = value;
}

export function stop(): void {
  source?.stop();
  source = undefined;
}

export const playing = (): boolean => source !== undefined;
/** Seconds since the start of what is heard. */
export const position = (): number => (source && context ? context.currentTime - started : 0);

/** Play a sound, from a place on. */
export async function play(sound: Sound, { loop = false, from = 0, to = sound.seconds, at = 0 }: { loop?: boolean; from?: number; to?: number; at?: number } = {}): Promise<void> {
  const audio = ready();
  let buffer = kept.get(sound.id);
  if (!buffer) {
    const samples = await floats(`/sounds/${sound.id}/samples`);
    buffer = audio.createBuffer(1, samples.length, sound.sample_rate);
    buffer.getChannelData(0).set(samples);
    kept.set(sound.id, buffer);
    if (kept.size > 12) kept.delete(kept.keys().next().value!);
  }
  stop();
  const start = Math.max(at, from);
  const node = audio.createBufferSource();
  node.buffer = buffer;
  node.loop = loop;
  node.loopStart = from;
  node.loopEnd = to;
  node.connect(out!);
  node.onended = () => { if (source === node) source = undefined; };
  if (loop) node.start(0, start);
  else node.start(0, start, Math.max(0.01, to - start));
  source = node;
  started = audio.currentTime - start;
}

/** Play a file of the server, from its beginning; ends when it has been heard, or something else is. */
export async function playFile(path: string): Promise<void> {
  const audio = ready();
  const buffer = await audio.decodeAudioData(await (await bytes(path)).arrayBuffer());
  stop();
  const node = audio.createBufferSource();
  node.buffer = buffer;
  node.connect(out!);
  source = node;
  started = audio.currentTime;
  node.start();
  await new Promise<void>((done) => { node.onended = () => { if (source === node) source = undefined; done(); }; });
}

/** Record from the microphone until the given function is called; a WAV file. */
export async function record(): Promise<() => Promise<Blob>> {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false } });
  const recorder = new MediaRecorder(stream);
  const parts: Blob[] = [];
  recorder.ondataavailable = (event) => parts.push(event.data);
  recorder.start();
  return () => new Promise((done, wrong) => {
    recorder.onstop = async () => {
      stream.getTracks().forEach((track) => track.stop());
      try { // The server reads no WebM: decoded here, sent as WAV.
        const decoded = await ready().decodeAudioData(await new Blob(parts).arrayBuffer());
        done(wav(decoded.getChannelData(0), decoded.sampleRate));
      } catch (error) { wrong(error); }
    };
    recorder.stop();
  });
}

/** A 16-bit WAV file of one channel. */
function wav(samples: Float32Array, rate: number): Blob {
  const view = new DataView(new ArrayBuffer(44 + 2 * samples.length));
  const text = (at: number, words: string) => [...words].forEach((c, i) => view.setUint8(at + i, c.charCodeAt(0)));
  text(0, "RIFF"); view.setUint32(4, 36 + 2 * samples.length, true); text(8, "WAVEfmt ");
  view.setUint32(16, 16, true); view.setUint16(20, 1, true); view.setUint16(22, 1, true);
  view.setUint32(24, rate, true); view.setUint32(28, 2 * rate, true); view.setUint16(32, 2, true); view.setUint16(34, 16, true);
  text(36, "data"); view.setUint32(40, 2 * samples.length, true);
  samples.forEach((x, i) => view.setInt16(44 + 2 * i, Math.round(32767 * Math.max(-1, Math.min(1, x))), true));
  return new Blob([view], { type: "audio/wav" });
}
