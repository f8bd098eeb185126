import { expect, test } from "vitest";
import { bump, History, place, stroke, valueAt, weights } from "../play/curves";

test("a stroke is a line, in either direction, and touches nothing else", () => {
  const there = new Float32Array(10).fill(7);
  expect(stroke(there, [2, 0], [6, 4])).toEqual([2, 7]);
  expect([...there]).toEqual([7, 7, 0, 1, 2, 3, 4, 7, 7, 7]);
  const back = new Float32Array(10).fill(7);
  stroke(back, [6, 4], [2, 0]);
  expect([...back]).toEqual([...there]);
});

test("a stroke beyond the ends stays within the curve", () => {
  const curve = new Float32Array(4);
  expect(stroke(curve, [-5, 1], [20, 1])).toEqual([0, 4]);
  expect([...curve]).toEqual([1, 1, 1, 1]);
});

test("a bump is highest in its middle and nothing at its ends", () => {
  const curve = new Float32Array(21);
  bump(curve, 10, 5, 2);
  expect(curve[10]).toBe(2);
  expect(curve[5]).toBeCloseTo(0);
  expect(curve[4]).toBe(0);
});

test("undo and redo give back the very state, and a new one ends the redoing", () => {
  const history = new History<string>();
  for (const state of ["a", "b", "c"]) history.push(state);
  expect([history.undo(), history.undo(), history.undo(), history.redo()]).toEqual(["b", "a", "a", "b"]);
  history.push("d");
  expect(history.canRedo).toBe(false);
  expect(history.undo()).toBe("b");
});

test("the plane's weights are one at a corner, and sum to one", () => {
  expect(weights(0, 0)).toEqual([1, 0, 0, 0]);
  expect(weights(1, 1)).toEqual([0, 0, 0, 1]);
  expect(weights(0.3, 0.8).reduce((a, b) => a + b)).toBeCloseTo(1);
});

test("place and value are inverse", () => {
  for (const log of [true, false]) expect(valueAt(place(440, 100, 4000, log), 100, 4000, log)).toBeCloseTo(440);
});
