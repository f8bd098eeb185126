import { expect, test } from "vitest";
import type { Method } from "../engine/card";
import { Gauge } from "../engine/gauge";
import { Voice } from "../engine/voice";

const port = (name: string, unit: string) => ({ name, unit, low: 100, high: 1000, about: "" });
const method: Method = {
  name: "control",
  inputs: [port("centroid", "Hz"), port("pitch", "Hz"), port("gain", "dB"), port("velocity", "")],
  in_ratio: 256,
  outputs: [port("sound", "audio")],
  delay: 256,
};

test("the last of the held notes sounds, and its pitch stays while it dies away", () => {
  const voice = new Voice(method, 25600);
  expect([...voice.frames(1)]).toEqual([0, 0, 0, 0]);
  voice.noteOn(69, 0.5);
  voice.noteOn(81, 1);
  expect([...voice.frames(1)]).toEqual([0, 880, 0, 1]);
  voice.noteOff(81);
  expect([...voice.frames(2)]).toEqual([0, 0, 440, 440, 0, 0, 0.5, 0.5]);
  voice.noteOff(69);
  voice.bend(12);
  expect([...voice.frames(1)]).toEqual([0, 880, 0, 0]);
});

test("a value stands until it is set again, and what is no number changes nothing", () => {
  const voice = new Voice(method, 25600);
  voice.set("centroid", 700);
  voice.set("centroid", NaN);
  voice.curve("gain", [0, Infinity]);
  expect(voice.frames(1)[0]).toBe(700);
  expect(voice.frames(1)[2]).toBe(0);
  expect(() => voice.set("colour", 1)).toThrow("no control is called colour");
});

test("a curve goes round, straight in octaves", () => {
  const voice = new Voice(method, 25600);
  voice.curve("centroid", [200, 800], 0.04);
  expect([...voice.frames(5)].slice(0, 5)).toEqual([200, 400, 800, 400, 200].map((value) => expect.closeTo(value, 3)));
  voice.curve("centroid", null);
  expect(voice.frames(1)[0]).toBe(0);
});

test("the centroid of a tone is its frequency, silence has none", () => {
  const gauge = new Gauge(44100);
  expect(gauge.read()).toBeNull();
  for (let k = 0; k < 4; k++) {
    gauge.write(Float32Array.from({ length: 512 }, (_, n) => 0.5 * Math.sin((2 * Math.PI * 64 * (512 * k + n)) / 2048)));
  }
  const measured = gauge.read()!;
  expect(measured.centroid).toBeCloseTo((64 * 44100) / 2048, 0);
  expect(measured.level).toBeCloseTo(-9.03, 1);
});
