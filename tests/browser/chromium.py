"""The system's Chromium, as the browser's stories and the screenshots drive it."""

from __future__ import annotations

import os
import shutil

ARGUMENTS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
INSTALL = "no Chromium found: apt-get install --no-install-recommends chromium chromium-headless-shell fonts-liberation"


def chromium_path() -> str | None:
    """Return where Chromium is (``CHROMIUM`` names another one), None when there is none."""
    named = os.environ.get("CHROMIUM")
    return named or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def shell_path() -> str | None:
    """Return where Chromium's headless shell is: the same engine without the browser's own windows, so with less work.

    Where it is missing, or ``CHROMIUM`` names another one, this is ``chromium_path``.
    """
    named = os.environ.get("CHROMIUM")
    return named or shutil.which("chromium-headless-shell") or chromium_path()
