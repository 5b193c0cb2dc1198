"""Read under which names web answers, and which pages of other sites may call it."""

from __future__ import annotations

import re

from services.ops.settings_reader import Settings
from wire.origins import NoOrigin, origins_of

HOST = re.compile(r"[\w.-]+")


def allowed_hosts(settings: Settings) -> tuple[str, ...]:
    hosts = tuple(host.strip().lower() for host in settings.text("ALLOWED_HOSTS").split(",") if host.strip())
    if any(not HOST.fullmatch(host) for host in hosts):
        settings.faults.append("ALLOWED_HOSTS must be hosts without scheme and port, comma between")
    return hosts


def cors_origins(settings: Settings) -> frozenset[str]:
    try:
        return origins_of(settings.text("CORS_ORIGINS"))
    except NoOrigin as error:
        settings.faults.append(str(error))
        return frozenset()
