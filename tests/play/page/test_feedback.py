"""The loop that is shaped while it sounds: what is heard follows the band."""

from __future__ import annotations

import numpy as np

from tests.play.page.hand import sound

RATE = 44_100


def middle(page, id: str) -> float:
    """Where half of the energy of a sound's last second lies below, Hz."""
    audio = np.frombuffer(page.ask(f"/sounds/{id}/samples"), "<f4")[-RATE:]
    assert np.abs(audio).max() > 0.003 and np.abs(audio).max() <= 1.0
    power = np.cumsum(np.abs(np.fft.rfft(audio * np.hanning(len(audio)))) ** 2)
    return float(np.searchsorted(power, power[-1] / 2)) * RATE / len(audio)


def test_a_loop_sounds_and_follows_the_hand(page):
    page.get_by_role("tab", name="Feedback").click()
    tab = page.locator("#tab-feedback")
    live, keep = tab.get_by_role("button", name="Live"), tab.get_by_role("button", name="Keep what was heard")
    assert keep.is_disabled()
    tab.get_by_role("slider", name="Feedback").fill("1.3")

    def heard(place: str, before: str, low: float, high: float) -> str:
        """Wait until what is heard lies where it should: on a busy machine a loop is slow to turn."""
        tab.get_by_role("slider", name="Frequency").fill(place)
        for _ in range(12):
            page.wait_for_timeout(2500)
            keep.click()
            before = sound(page, "Loop", before)
            if low < middle(page, before) < high:
                return before
        raise AssertionError(f"at {middle(page, before):.0f} Hz, not between {low} and {high}")

    tab.get_by_role("slider", name="Frequency").fill("0.3")
    first = sound(page, "Loop")  # rendered, as long as it is not live
    live.click()
    page.wait_for_selector("#tab-feedback button[aria-pressed=true]")
    tab.get_by_text("A slider is heard after").wait_for()
    # The band lies at 80 * 60 ** 0.3 = 273 Hz, then at 80 * 60 ** 0.7 = 1406 Hz.
    low = heard("0.3", first, 150, 450)
    heard("0.7", low, 700, 2500)
    # In another tab nothing goes on; then it can begin anew.
    page.get_by_role("tab", name="Curve").click()
    page.get_by_role("tab", name="Feedback").click()
    page.wait_for_selector("#tab-feedback button[aria-pressed=false]")
    live.click()
    page.wait_for_selector("#tab-feedback button[aria-pressed=true]")
    page.wait_for_timeout(1000)
    live.click()
    page.wait_for_selector("#tab-feedback button[aria-pressed=false]")


def test_bad_messages_end_a_loop_with_a_sentence(page):
    talk = """async (messages) => {
        const socket = new WebSocket(`ws://${location.host}/api/feedback/live?session=${messages.session}`);
        const said = [];
        await new Promise((done) => {
            socket.onopen = () => messages.list.forEach((m) => socket.send(m));
            socket.onmessage = (e) => said.push(typeof e.data === "string" ? e.data : "sound");
            socket.onclose = (e) => { said.push(e.code); done(); };
        });
        return said;
    }"""
    session = page.session()
    for messages, words in (
        (['{"model": "nobody"}'], "nobody"),
        (['{"model": "screams"}', '{"frequency": NaN, "q": 5, "feedback": 1}'], "error"),
        (['{"model": "screams"}', '{"frequency": 500, "q": 5, "feedback": 1, "blocks": 10000}'], "blocks"),
        (['{"model": "' + "x" * 5000 + '"}'], "too long"),
    ):
        said = page.evaluate(talk, {"session": session, "list": messages})
        assert said[-1] == 4400 and words in said[-2], said
