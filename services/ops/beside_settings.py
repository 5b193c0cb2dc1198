"""Reads where the programs beside web are asked: feeds, and the advisor's two ports."""

from __future__ import annotations

import re

from services.ops.settings_reader import Settings

ADDRESS = re.compile(r"https?://(?:[\w.-]+|\[[0-9a-fA-F:.]+\])(?::(?P<port>\d{1,5}))?/?")
HIGHEST_PORT = 65_535


def address_of(settings: Settings, name: str, port_name: str, usual_port: int) -> str | None:
    """Return where a program is asked; None when that is off, or when the port of this machine is 0."""
    port = settings.number(port_name, usual_port, 0, HIGHEST_PORT)
    url = settings.text(name, f"http://127.0.0.1:{port}" if port else "off")
    if url == "off":
        return None
    match = ADDRESS.fullmatch(url)
    if match is None or int(match["port"] or 0) > HIGHEST_PORT:
        fault = f"{name} was {url!r:.100}, it must look like http://127.0.0.1:{usual_port}, or be off"
        settings.faults.append(fault)
    return url.rstrip("/")
