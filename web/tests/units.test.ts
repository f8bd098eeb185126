import { expect, test } from "vitest";
import { asRuns, counted, ofRuns, spreadOut, within } from "../play/unitchoice";

test("a lasso holds what lies in it, also where it is bent", () => {
  const hook: [number, number][] = [[0, 0], [4, 0], [4, 4], [3, 4], [3, 1], [1, 1], [1, 4], [0, 4]];
  expect(within(0.5, 3, hook)).toBe(true);
  expect(within(3.5, 3, hook)).toBe(true);
  expect(within(2, 3, hook)).toBe(false);
  expect(within(2, 0.5, hook)).toBe(true);
  expect(within(5, 2, hook)).toBe(false);
});

test("what a map leaves out goes with its neighbour", () => {
  expect(spreadOut([0, 3, 9], 3)).toEqual([0, 1, 2, 3, 4, 5, 9, 10, 11]);
  expect(spreadOut([4, 7], 1)).toEqual([4, 7]);
});

test("numbers are told by their runs", () => {
  expect(asRuns([3, 4, 5, 9, 11, 12])).toBe("3-5 9 11-12");
  expect(ofRuns("3-5 9 11-12")).toEqual([3, 4, 5, 9, 11, 12]);
});

test("a histogram counts all and the chosen, in equal ratios", () => {
  const [all, some] = counted(Float32Array.of(1, 10, 100, NaN, 999), Uint8Array.of(1, 0, 1, 1, 1), 1, 1000, true, 3);
  expect([...all]).toEqual([1, 1, 2]);
  expect([...some]).toEqual([1, 0, 2]);
});
