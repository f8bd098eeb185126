import { describe, expect, it } from "vitest";
import { midiOf, moved, noteName } from "../play/noteeditor";
import { intoRange } from "../play/sing";

const note = { time: 1, duration: 0.5, pitch: 69, velocity: 90 };

describe("a note that is moved", () => {
  it("stays within the render and the timbre's reach", () => {
    expect(moved(note, { time: 9 }, 4, 60, 72)).toMatchObject({ time: 3.5, duration: 0.5 });
    expect(moved(note, { time: -9, pitch: 40 }, 4, 60, 72)).toMatchObject({ time: 0, pitch: 72 });
  });
  it("keeps its other end where it is when one is pulled", () => {
    const later = moved(note, { start: 0.2 }, 4, 60, 72);
    expect(later.time + later.duration).toBeCloseTo(1.5);
    expect(moved(note, { end: 9 }, 4, 60, 72).duration).toBeCloseTo(3);
    expect(moved(note, { start: 9 }, 4, 60, 72).duration).toBeCloseTo(0.05);
  });
  it("has the name of its pitch", () => {
    expect(noteName(midiOf(440))).toBe("A4");
    expect(noteName(midiOf(261.63))).toBe("C4");
  });
});

describe("a melody that is too low", () => {
  it("is moved by the octaves that bring most of it within reach", () => {
    expect(intoRange([110, 120, 98], 196, 2000)).toEqual([[220, 240, 196], 1]);
    expect(intoRange([300, 400], 196, 2000)[1]).toBe(0);
    expect(intoRange([60, 70], 196, 2000)[1]).toBe(2);
  });
});
