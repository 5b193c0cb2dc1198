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
INSTALL = "no Chromium found: apt-get install -y --no-install-recommends chromium fonts-liberation"


def chromium_path() -> str | None:
    """Return where Chromium is (``CHROMIUM`` names another one), None when there is none."""
    named = os.environ.get("CHROMIUM")
    return named or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
