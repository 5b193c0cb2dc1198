"""The providers of bars, in the order in which a sync asks them: a later one replaces nothing of an earlier one."""

from __future__ import annotations

from feeds.config import FeedsConfig
from feeds.providers import settings
from feeds.providers.provider import Provider


def providers_of(config: FeedsConfig) -> tuple[Provider, ...]:
    """Return every provider, also those that are switched off."""
    return settings.providers_of(config.providers)
