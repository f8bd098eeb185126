"""What a hand does on the page."""

from __future__ import annotations


def sound(page, panel: str, other_than: str = "") -> str:
    """The id of the sound that a panel shows, as soon as it is another one."""
    query = f"section[aria-label='{panel}']:visible"
    page.wait_for_function(
        "([query, was]) => { const s = [...document.querySelectorAll(query)].find((e) => e.offsetParent); "
        "return s?.dataset.sound && s.dataset.sound !== was; }",
        arg=[f"section[aria-label='{panel}']", other_than],
    )
    return page.locator(query).get_attribute("data-sound")


def draw(page, label: str, points: list[tuple[float, float]]) -> None:
    """Draw on a canvas by mouse; places as shares of its width and height, from below."""
    canvas = page.locator(f"canvas[aria-label^='{label}']:visible")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + (1 - y) * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=6)
    page.mouse.up()
