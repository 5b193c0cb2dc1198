"""Worlds of thousands of events say nothing in the log; what the next tests say is heard again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog

from tests.lying.desk_app import silence


@pytest.fixture(autouse=True)
def silent_worlds() -> Iterator[None]:
    silence()
    yield
    structlog.reset_defaults()
