/** A feedback loop that sounds on the server and is heard here, block by block, while it is shaped. */
import type { Played } from "../engine/messages";
import processor from "../engine/processor.js?url";
import { link } from "./api";

export interface Shape { frequency: number; q: number; feedback: number }
/** Blocks that are made before they are heard: over a line more than in a worker. */
const AHEAD = 5;
const KEPT_SECONDS = 60;

export class LiveLoop {
  rate = 44100;
  private readonly heard: Float32Array[] = [];
  private constructor(private readonly socket: WebSocket, private readonly gain: GainNode) {}

  /** Begin; `shape` is asked for every block. `ended` is told why it is over, `meter` of gaps and of how late (ms) a hand is heard. */
  static async start(model: string, shape: () => Shape, volume: number, ended: (why: string) => void, meter: (gaps: number, delay: number) => void): Promise<LiveLoop> {
    const address = new URL(link("/feedback/live"), location.href);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = new WebSocket(address);
    socket.binaryType = "arraybuffer";
    let why = "";
    let context: AudioContext | undefined;
    try {
      const first = await new Promise<{ rate: number; block: number; latency: number }>((done, wrong) => {
        socket.onopen = () => socket.send(JSON.stringify({ model }));
        socket.onmessage = ({ data }) => { const said = JSON.parse(data); if (said.error) wrong(new Error(said.error)); else done(said); };
        socket.onclose = () => wrong(new Error("the server ended the loop"));
      });
      const audio = context = new AudioContext({ sampleRate: first.rate, latencyHint: "interactive" });
      const gain = audio.createGain();
      gain.gain.value = volume;
      const loop = new LiveLoop(socket, gain);
      loop.rate = first.rate;
      await audio.audioWorklet.addModule(processor);
      const node = new AudioWorkletNode(audio, "vqsynth-player", { numberOfInputs: 0, outputChannelCount: [2],
        processorOptions: { block: first.block, ahead: AHEAD, memory: null, capacity: 0 } });
      const tell = (gaps: number, ahead: number) => meter(gaps, 1000 * ((ahead + first.latency) / first.rate + audio.baseLatency + (audio.outputLatency || 0)));
      node.port.onmessage = ({ data }: MessageEvent<Played>) => tell(data.dropouts, data.ahead);
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => { if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ ...shape(), blocks: 1 })); };
      socket.onmessage = ({ data }) => {
        if (typeof data === "string") { why = JSON.parse(data).error ?? ""; return; }
        const block = new Float32Array(data);
        loop.heard.push(block.slice());
        if (loop.heard.length > KEPT_SECONDS * first.rate / first.block) loop.heard.shift();
        port1.postMessage(block, [block.buffer]);
      };
      socket.onclose = () => { port1.close(); void audio.close(); ended(why); };
      node.port.postMessage(port2, [port2]);
      node.connect(gain).connect(audio.destination);
      await audio.resume();
      tell(0, AHEAD * first.block);
      return loop;
    } catch (error) {
      socket.onclose = null;
      socket.close();
      await context?.close();
      throw error;
    }
  }

  /** How loud it is heard, 0 to 1. */
  set volume(share: number) { this.gain.gain.setTargetAtTime(share, this.gain.context.currentTime, 0.01); }
  stop(): void { this.socket.close(); }
  /** What was heard last, at most a minute. */
  blocks(): Float32Array[] { return this.heard; }
}
