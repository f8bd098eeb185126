"""Mel spectrograms in tiles: what is seen at a place is what sounds there, at every zoom."""

from __future__ import annotations

import numpy as np

from tests.play.conftest import wav

RATE, SECONDS = 44_100, 60
BEGINS, ENDS = 40.0, 40.8
BRIGHTNESS = """([canvas, low, high]) => {
    const {width, height} = canvas;
    const copy = new OffscreenCanvas(width, height).getContext("2d", {willReadFrequently: true});
    copy.drawImage(canvas, 0, 0);
    const pixels = copy.getImageData(0, 0, width, height).data;
    const mel = (hz) => Math.log10(1 + hz / 700);
    const row = (hz) => Math.round(height * (1 - (mel(hz) - mel(30)) / (mel(20000) - mel(30))));
    return Array.from({length: width}, (_, x) => {
        let most = 0;
        for (let y = row(high); y <= row(low); y++) most = Math.max(most, pixels[4 * (y * width + x)]);
        return most;
    });
}"""


def recording(path):
    """A tone of 400 Hz throughout, and one of 3 kHz for less than a second."""
    time = np.arange(RATE * SECONDS) / RATE
    tone = 0.3 * np.sin(2 * np.pi * 400 * time)
    second = 0.3 * np.sin(2 * np.pi * 3000 * time) * ((time >= BEGINS) & (time < ENDS))
    path.write_bytes(wav(tone + second))
    return path


def test_a_minute_is_zoomed_by_the_wheel_and_stays_true(page, tmp_path):
    page.get_by_role("tab", name="Transfer").click()
    tab = page.locator("#tab-transfer")
    tab.locator("input[type=file]").set_input_files(recording(tmp_path / "long.wav"))
    canvas = tab.locator("canvas.mel")
    page.wait_for_selector("#tab-transfer canvas.mel[data-complete=true]")
    assert float(canvas.get_attribute("data-to")) == SECONDS
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()

    def lit(low: float, high: float) -> np.ndarray:
        page.wait_for_selector("#tab-transfer canvas.mel[data-complete=true]")
        return np.array(page.evaluate(BRIGHTNESS, [canvas.element_handle(), low, high]))

    def edges() -> tuple[float, float, float]:
        """Where the second tone begins and ends, and how long a pixel is, in seconds."""
        bright = lit(2700, 3300)
        start, end = (float(canvas.get_attribute(f"data-{name}")) for name in ("from", "to"))
        there = np.flatnonzero(bright > 200)
        pixel = (end - start) / len(bright)
        return start + there[0] * pixel, start + (there[-1] + 1) * pixel, pixel

    for _ in range(3):
        first, last, pixel = edges()
        near = max(0.07, 1.5 * pixel)
        assert abs(first - BEGINS) < near and abs(last - ENDS) < near
        # A tone that never stops has no seams where tiles meet.
        steady = lit(350, 450)[2:-2]
        assert steady.min() > 200, steady.min()
        start, end = (float(canvas.get_attribute(f"data-{name}")) for name in ("from", "to"))
        page.mouse.move(box["x"] + (40.4 - start) / (end - start) * box["width"], box["y"] + 60)
        for _ in range(4):
            page.mouse.wheel(0, -150)
        page.wait_for_function(
            "before => Number(document.querySelector('#tab-transfer canvas.mel').dataset.to) < before", arg=end
        )
    assert int(canvas.get_attribute("data-level")) > 0

    # The same by keys.
    canvas.focus()
    page.keyboard.press("0")
    page.wait_for_function("() => document.querySelector('#tab-transfer canvas.mel').dataset.to === '60'")
    for _ in range(2):
        page.keyboard.press("+")
    page.wait_for_function("() => document.querySelector('#tab-transfer canvas.mel').dataset.to === '37.5'")
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("() => document.querySelector('#tab-transfer canvas.mel').dataset.to === '35.625'")
