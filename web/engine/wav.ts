// WAV files: mono, 24 bits.

export function wav(blocks: readonly Float32Array[], rate: number): Uint8Array<ArrayBuffer> {
  const count = blocks.reduce((sum, block) => sum + block.length, 0);
  const bytes = new Uint8Array(44 + 3 * count + (count % 2));
  const view = new DataView(bytes.buffer);
  const text = (at: number, word: string) => {
    for (let k = 0; k < word.length; k++) bytes[at + k] = word.charCodeAt(k);
  };
  text(0, "RIFF");
  view.setUint32(4, bytes.length - 8, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, 3 * rate, true);
  view.setUint16(32, 3, true);
  view.setUint16(34, 24, true);
  text(36, "data");
  view.setUint32(40, 3 * count, true);
  let at = 44;
  for (const block of blocks) {
    for (const sample of block) {
      const value = Math.round(Math.max(-1, Math.min(1, sample)) * 0x7fffff);
      bytes[at++] = value & 255;
      bytes[at++] = (value >> 8) & 255;
      bytes[at++] = (value >> 16) & 255;
    }
  }
  return bytes;
}
