"""What README and the how-to say of TradingView's alerts is made from the table of streams."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.ops.webhook_tables import PAGES, PARTS, with_current_webhooks
from wire.tradingview import BRICK_ALERTS, BRICK_INDICATOR, STREAM_OF_PATH

README, HOW_TO = PAGES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_pages_are_current(page: Path) -> None:
    text = page.read_text("utf-8")
    assert text == with_current_webhooks(text), "run: .venv/bin/flask desk settings"


def test_readme_has_the_tables_and_the_how_to_the_indicator_too() -> None:
    for name in PARTS:
        assert f"<!-- generated: {name} -->" in HOW_TO.read_text("utf-8")
    for name in ("webhooks", "messages"):
        assert f"<!-- generated: {name} -->" in README.read_text("utf-8")


def test_every_webhook_of_bricks_is_listed_with_an_alert_for_each_colour() -> None:
    lines = PARTS["webhooks"]().splitlines()
    for path in STREAM_OF_PATH:
        [line] = [line for line in lines if f"`{path}`" in line]
        assert all(condition in line for condition in BRICK_ALERTS)


def test_the_indicator_has_a_condition_for_each_alert() -> None:
    assert set(BRICK_ALERTS.values()) == {"green", "red"}
    for condition in BRICK_ALERTS:
        assert f'"{condition}")' in BRICK_INDICATOR
