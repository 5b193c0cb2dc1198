"""The installed page's icons, drawn from ``static/icons/lockstep.svg`` by a browser.

Run from the project's folder after the drawing was changed: ``.venv/bin/python -m tests.browser.icons``.
"""

from __future__ import annotations

import sys

from playwright.sync_api import sync_playwright

from tests.browser.chromium import ARGUMENTS, INSTALL, chromium_path
from tests.support.paths import REPOSITORY

ICONS = REPOSITORY / "static" / "icons"
GROUND = "#1d2230"  # the drawing's own
SAFE = 0.72  # of a maskable icon: a launcher may cut away the rest
PLANS = (("180", 180, 1.0), ("192", 192, 1.0), ("512", 512, 1.0), ("maskable-512", 512, SAFE))


def main() -> int:
    chromium = chromium_path()
    if chromium is None:
        print(INSTALL)
        return 1
    drawing = (ICONS / "lockstep.svg").read_text("utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        for name, size, share in PLANS:
            page = browser.new_page(viewport={"width": size, "height": size})
            ground = GROUND if share < 1 or name == "180" else "transparent"
            page.set_content(
                f"<style>body{{margin:0;height:100vh;display:grid;place-items:center;background:{ground}}}"
                f"svg{{width:{share:.0%};height:{share:.0%}}}</style>{drawing}"
            )
            page.screenshot(path=ICONS / f"lockstep-{name}.png", omit_background=True)
            page.close()
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
