"""The time of day as the bridge sees it; tests hand in another one."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Answers the present moment as an aware UTC time."""


def utc_now() -> datetime:
    """Answer the machine's time, aware and in UTC."""
    return datetime.now(UTC)
