"""What the pages show of the desk's tables: the limits form its rules, the dashboard its streams."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import unescape

import pytest

from services.engine.model.settings import RULE_SETTING
from services.views.limit_fields import LIMIT_FIELDS
from tests.support.desk_process import DeskProcess
from wire.tradingview import STREAMS

A_FIELD = re.compile(r"<label>([^<]+)<input ([^>]*)></label>")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskProcess]:
    with DeskProcess(tmp_path_factory.mktemp("tables")) as running:
        yield running


def attributes(tag: str) -> dict[str, str]:
    return dict(re.findall(r'(\w+)="([^"]*)"', tag))


@pytest.mark.parametrize("path", ["/", "/setup"])
def test_the_form_that_tightens_limits_takes_the_range_and_the_step_of_each_rule(desk: DeskProcess, path: str) -> None:
    form = desk.operator().get(path).text.split('data-slot="limits-form"')[1].split("</form>")[0]
    fields = {label: attributes(tag) for label, tag in A_FIELD.findall(form)}
    numbers = {label: tag for label, tag in fields.items() if tag["type"] == "number"}
    shown = {label: (tag["name"], tag["min"], tag["max"], tag["step"]) for label, tag in numbers.items()}
    assert shown == {
        "Trades a day": ("max_trades_per_day", "1", "10000", "1"),
        "Daily stop, %": ("daily_stop_limit_pct", "0", "100", "0.1"),
        "Risk of an order, %": ("max_risk_per_order_pct", "0", "100", "0.1"),
        "Contracts at once, full-size contracts": ("max_contracts", "0", "10000", "0.1"),
        "Cooldown, s": ("cooldown_seconds", "0", "86400", "10"),
        "Cooldown after a loss, s": ("cooldown_after_loss", "1", "86400", "10"),
        "Losing trades in a row": ("loss_streak", "1", "100", "1"),
        "Weekly loss, USD": ("weekly_loss_usd", "0", "1000000000", "1"),
        "Trades a week": ("max_trades_per_week", "1", "100000", "1"),
        "Give-back, USD": ("give_back_usd", "0", "1000000000", "1"),
        "Profit lock, USD": ("profit_lock_usd", "0", "1000000000", "1"),
    }
    texts = {label: tag["name"] for label, tag in fields.items() if tag["type"] == "text"}
    assert texts == {"Flat by": "flat_by", "Trading hours": "trading_hours"}


def test_a_field_of_the_form_is_a_row_of_the_table_of_rules() -> None:
    for field in LIMIT_FIELDS:
        row = RULE_SETTING[field.rule]
        assert (field.low, field.high, field.step) == (row.low, row.high, row.step)
        assert row.tighter is not None, f"{field.rule} is no limit"


def test_the_dashboard_brings_the_size_of_every_streams_bricks(desk: DeskProcess) -> None:
    found = re.search(r"data-sizes='([^']+)'", desk.operator().get("/").text)
    assert found
    assert json.loads(unescape(found[1])) == {row.stream.value: row.size for row in STREAMS}
