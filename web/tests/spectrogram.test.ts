import { expect, test } from "vitest";
import { fineness, touched, zoomed } from "../play/spectrogram";

test("a zoom keeps the place it is about, and stays within the sound", () => {
  const near = zoomed({ from: 0, to: 60 }, 60, 15, 0.5);
  expect(near).toEqual({ from: 7.5, to: 37.5 });
  expect(zoomed(near, 60, 37, 4)).toEqual({ from: 0, to: 60 });
  const nearest = zoomed({ from: 59.9, to: 60 }, 60, 60, 0.01);
  expect(nearest.to - nearest.from).toBeCloseTo(0.1);
  expect(nearest.to).toBeCloseTo(60);
});

test("tiles are as fine as the screen, no finer than the server makes them, and cover what is seen", () => {
  expect(fineness({ from: 0, to: 60 }, 60, 1200, 44100)).toBe(0);
  expect(fineness({ from: 0, to: 30 }, 60, 1200, 44100)).toBe(1);
  const finest = fineness({ from: 0, to: 0.1 }, 60, 2400, 44100);
  expect((1200 * 2 ** finest) / 60).toBeGreaterThanOrEqual(44100 / 256);
  expect(touched({ from: 0, to: 60 }, 60, 0)).toEqual([0]);
  expect(touched({ from: 14.9, to: 30 }, 60, 2)).toEqual([0, 1]);
  expect(touched({ from: 59.9, to: 60 }, 60, 3)).toEqual([7]);
});
