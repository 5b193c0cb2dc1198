"""What a story waits for at a page: a call that is heard, a picture that is painted, a hold that is counted.

Playwright hears a page's calls, and answers its routes, only while one of its own functions waits: a list that a route
or a listener fills is looked at with `until`, never right after what may have caused the call.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from playwright.sync_api import Locator, Page, expect

from tests.support.desk_process import PATIENCE_SECONDS

LOOK_MS = 20
SETTLED_MS = 150  # many frames
HOLD_MS = 1_700
HELD = ".holdable[data-holding]"
Seen = TypeVar("Seen")


def until(page: Page, is_true: Callable[[], Seen], within: float = PATIENCE_SECONDS) -> Seen:
    """Call ``is_true`` until it is, hearing the page meanwhile, and return its answer. Fail after so many seconds."""
    deadline = time.monotonic() + within
    while not (answer := is_true()):
        assert time.monotonic() < deadline, f"this did not become true within {within} s"
        page.wait_for_timeout(LOOK_MS)
    return answer


def settled(page: Page, look: Callable[[], Seen], within: float = PATIENCE_SECONDS) -> Seen:
    """Return what is seen once two looks in a row see the same. Fail after so many seconds."""
    deadline = time.monotonic() + within
    before = look()
    while True:
        page.wait_for_timeout(SETTLED_MS)
        if (seen := look()) == before:
            return seen
        assert time.monotonic() < deadline, f"this did not settle within {within} s: {before}, then {seen}"
        before = seen


def fits(page: Page, width: int) -> None:
    """Wait until a page is not wider than so many pixels, its pictures drawn anew for a new width."""
    until(page, lambda: settled(page, lambda: int(page.evaluate("document.documentElement.scrollWidth"))) <= width)


def keeps_pressing(page: Page) -> None:
    """Keep pressing what is pressed for longer than a hold takes, and until the page's own timer has counted it."""
    page.wait_for_timeout(HOLD_MS)
    expect(page.locator(HELD)).to_have_count(0)


def box_of(element: Locator) -> dict[str, float]:
    """Return where an element is, once nothing moves it any more."""
    box = settled(element.page, element.bounding_box)
    assert box is not None, "it is not shown"
    return {"x": box["x"], "y": box["y"], "width": box["width"], "height": box["height"]}
