// The audio thread: plays what the worker made, asks for more in time, and counts what came too late.
// Plain JavaScript, as it is loaded by itself.
const MOST = 8;

class Player extends AudioWorkletProcessor {
  constructor(options) {
    super();
    const { block, ahead, memory, capacity } = options.processorOptions;
    this.block = block;
    this.ahead = ahead * block;
    this.queue = [];
    this.at = 0;
    this.asked = 0;
    this.came = 0;
    this.read = 0;
    this.late = false;
    this.dropouts = 0;
    this.capacity = capacity;
    if (memory) {
      this.marks = new Int32Array(memory, 0, 2);
      this.samples = new Float32Array(memory, 8);
    }
    this.port.onmessage = ({ data }) => {
      this.worker = data;
      this.worker.onmessage = (message) => {
        this.queue.push(message.data);
        this.came += message.data.length;
      };
    };
  }

  take(out) {
    if (this.marks) {
      this.came = Atomics.load(this.marks, 0) >>> 0;
      const count = Math.min(out.length, this.came - this.read);
      for (let k = 0; k < count; k++) out[k] = this.samples[(this.read + k) % this.capacity];
      this.read += count;
      Atomics.store(this.marks, 1, this.read | 0);
      return count;
    }
    let count = 0;
    while (count < out.length && this.queue.length) {
      const first = this.queue[0];
      const part = Math.min(first.length - this.at, out.length - count);
      out.set(first.subarray(this.at, this.at + part), count);
      count += part;
      this.at += part;
      if (this.at === first.length) {
        this.queue.shift();
        this.at = 0;
      }
    }
    this.read += count;
    return count;
  }

  process(_inputs, outputs) {
    if (!this.worker) return true;
    const out = outputs[0][0];
    const count = this.take(out);
    // Before the first block there is nothing to miss.
    if (count < out.length && this.came > 0) {
      if (!this.late) {
        this.dropouts++;
        this.ahead = Math.min(this.ahead + this.block, MOST * this.block);
        this.port.postMessage({ dropouts: this.dropouts, ahead: this.ahead });
      }
      this.late = true;
    } else this.late = false;
    for (let channel = 1; channel < outputs[0].length; channel++) outputs[0][channel].set(out);
    while (this.asked - this.read < this.ahead) {
      this.asked += this.block;
      this.worker.postMessage(0);
    }
    return true;
  }
}

registerProcessor("vqsynth-player", Player);
