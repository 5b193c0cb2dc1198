"""Read where notices go, and which."""

from __future__ import annotations

import re

from services.notifications.kinds import UnknownKinds, chosen_kinds
from services.ops.settings_reader import Settings

MOST_TARGETS = 10  # each target has a thread of its own
URL_BREAK = re.compile(r"[\s,]+(?=[A-Za-z][\w+.-]*://)")


def notify_urls(settings: Settings) -> tuple[str, ...]:
    """Read ``NOTIFY_URLS``. A URL may contain commas, so a comma separates only when a new URL follows it."""
    urls = tuple(url.strip(" ,") for url in URL_BREAK.split(settings.text("NOTIFY_URLS")) if url.strip(" ,"))
    if any("://" not in url or " " in url for url in urls):
        settings.faults.append("NOTIFY_URLS must be apprise URLs such as tgram://…, comma or space between")
    if len(urls) > MOST_TARGETS:
        settings.faults.append(f"NOTIFY_URLS had {len(urls)} URLs, {MOST_TARGETS} are the most")
    return urls


def notify_kinds(settings: Settings) -> frozenset[str]:
    try:
        return chosen_kinds(settings.text("NOTIFY_KINDS"))
    except UnknownKinds as error:
        settings.faults.append(f"NOTIFY_KINDS: {error}")
        return frozenset()
