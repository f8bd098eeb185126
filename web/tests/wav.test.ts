import { expect, test } from "vitest";
import { wav } from "../engine/wav";

test("a WAV file says its length and holds its samples", () => {
  const bytes = wav([Float32Array.of(0, 0.5), Float32Array.of(-1)], 44100);
  const view = new DataView(bytes.buffer);
  expect(bytes.length).toBe(44 + 9 + 1);
  expect(view.getUint32(4, true)).toBe(bytes.length - 8);
  expect(view.getUint32(24, true)).toBe(44100);
  expect(view.getUint32(40, true)).toBe(9);
  const samples = [0, 1, 2].map((k) => (bytes[44 + 3 * k]! | (bytes[45 + 3 * k]! << 8) | (bytes[46 + 3 * k]! << 16)) << 8 >> 8);
  expect(samples).toEqual([0, 4194304, -8388607]);
});
