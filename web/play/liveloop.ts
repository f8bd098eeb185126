/** A feedback loop that sounds on the server and is heard here, block by block, while it is shaped. */
import processor from "../engine/processor.js?url";
import { link } from "./api";

export interface Shape { frequency: number; q: number; feedback: number }
/** Blocks that are made before they are heard: over a line more than in a worker. */
const AHEAD = 5;
const KEPT_SECONDS = 60;

export class LiveLoop {
  dropouts = 0;
  rate = 44100;
  private readonly heard: Float32Array[] = [];
  private constructor(private readonly socket: WebSocket) {}

  /** Begin; `shape` is asked for every block. `ended` is told why it is over. */
  static async start(model: string, shape: () => Shape, ended: (why: string) => void): Promise<LiveLoop> {
    const address = new URL(link("/feedback/live"), location.href);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = new WebSocket(address);
    socket.binaryType = "arraybuffer";
    let why = "";
    const first = await new Promise<{ rate: number; block: number }>((done, wrong) => {
      socket.onopen = () => socket.send(JSON.stringify({ model }));
      socket.onmessage = ({ data }) => { const said = JSON.parse(data); if (said.error) wrong(new Error(said.error)); else done(said); };
      socket.onclose = () => wrong(new Error("the server ended the loop"));
    });
    const context = new AudioContext({ sampleRate: first.rate, latencyHint: "interactive" });
    const loop = new LiveLoop(socket);
    loop.rate = first.rate;
    await context.audioWorklet.addModule(processor);
    const node = new AudioWorkletNode(context, "vqsynth-player", { numberOfInputs: 0, outputChannelCount: [2],
      processorOptions: { block: first.block, ahead: AHEAD, memory: null, capacity: 0 } });
    node.port.onmessage = ({ data }) => { loop.dropouts = data.dropouts; };
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => { if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ ...shape(), blocks: 1 })); };
    socket.onmessage = ({ data }) => {
      if (typeof data === "string") { why = JSON.parse(data).error ?? ""; return; }
      const block = new Float32Array(data);
      loop.heard.push(block.slice());
      if (loop.heard.length > KEPT_SECONDS * first.rate / first.block) loop.heard.shift();
      port1.postMessage(block, [block.buffer]);
    };
    socket.onclose = () => { void context.close(); ended(why); };
    node.port.postMessage(port2, [port2]);
    node.connect(context.destination);
    await context.resume();
    return loop;
  }

  stop(): void { this.socket.close(); }
  /** What was heard last, at most a minute. */
  blocks(): Float32Array[] { return this.heard; }
}
