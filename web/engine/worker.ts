// Where the network runs: hands in, blocks out, as many as the audio thread asks for.
import { played } from "./card";
import { Gauge } from "./gauge";
import type { FromWorker, Recording, ToWorker } from "./messages";
import { Network } from "./network";
import { Ring } from "./ring";
import { Voice } from "./voice";

const TIMES = 1024;
const METER_BLOCKS = 4;

let network: Network;
let voice: Voice;
let gauge: Gauge;
let ring: Ring | null = null;
let player: MessagePort;
let wanted = 0;
let working = false;
let blocks = 0;
let worst = 0;
let lasts = 0;
let rate = 0;
let recording: Recording | null = null;
const times = new Float64Array(TIMES);

const tell = (message: FromWorker, transfer: Transferable[] = []) => self.postMessage(message, { transfer });

async function work(): Promise<void> {
  if (working) return;
  working = true;
  try {
    while (wanted > 0) {
      wanted--;
      const frames = voice.frames(network.frames);
      const begun = performance.now();
      const block = await network.run(frames);
      const took = performance.now() - begun;
      times[blocks++ % TIMES] = took;
      worst = Math.max(worst, took);
      gauge.write(block);
      recording?.blocks.push(block.slice());
      recording?.controls.push(frames);
      if (ring) ring.write(block);
      else player.postMessage(block, [block.buffer]);
      if (blocks % METER_BLOCKS === 0) meter(frames);
    }
  } catch (error) {
    tell({ type: "failed", message: String(error) });
  } finally {
    working = false;
  }
}

function meter(frames: Float32Array): void {
  const sorted = times.slice(0, Math.min(blocks, TIMES)).sort();
  const mean = sorted.reduce((sum, time) => sum + time, 0) / sorted.length;
  const p99 = sorted[Math.floor(0.99 * (sorted.length - 1))]!;
  const asked = Object.fromEntries(voice.names.map((name, k) => [name, frames[k * network.frames]!]));
  tell({ type: "meter", load: { mean, p99, worst, block: lasts, blocks }, measured: gauge.read(), asked });
}

self.onmessage = async ({ data }: MessageEvent<ToWorker>) => {
  switch (data.type) {
    case "load":
      try {
        const method = played(data.card);
        rate = data.card.sample_rate;
        lasts = (1000 * data.card.block) / rate;
        voice = new Voice(method, rate);
        gauge = new Gauge(rate);
        network = await Network.load(data.card, data.model, data.wasm);
        tell({ type: "ready" });
      } catch (error) {
        tell({ type: "failed", message: String(error) });
      }
      break;
    case "player":
      player = data.port;
      ring = data.memory && new Ring(data.memory);
      player.onmessage = () => {
        wanted++;
        void work();
      };
      break;
    case "set":
      if (network.has(data.name)) network.set(data.name, data.value);
      else voice.set(data.name, data.value);
      break;
    case "curve":
      voice.curve(data.name, data.points, data.seconds);
      break;
    case "on":
      voice.noteOn(data.note, data.velocity);
      break;
    case "off":
      voice.noteOff(data.note);
      break;
    case "silence":
      voice.silence();
      break;
    case "bend":
      voice.bend(data.semitones);
      break;
    case "record":
      recording = { rate, blocks: [], controls: [] };
      break;
    case "finish": {
      const done = recording ?? { rate, blocks: [], controls: [] };
      recording = null;
      tell({ type: "recording", recording: done });
    }
  }
};
