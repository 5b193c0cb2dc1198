"""The unit of each asset: what the table has, what may be set, what a default entry risks with it (SPEC 2)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from services.engine.model.settings import Rules
from services.market.instruments import INSTRUMENTS, TRADABLE, UnknownInstrument, contract_for
from services.market.renko import RenkoStack
from services.market.units import BadUnit, checked_unit, earlier_point
from wire.tradingview import STREAM_POINTS

OF_SPEC = {
    "ES": "1",
    "NQ": "4",
    "YM": "8",
    "US30": "8",
    "RTY": "0.6",
    "CL": "0.02",
    "GC": "0.8",
    "XAUUSD": "0.8",
    "EURUSD": "0.0001",
    "GBPUSD": "0.0001",
}
NOVEMBER = date(2026, 11, 17)


def test_every_asset_that_can_be_traded_has_the_unit_of_the_spec() -> None:
    assert {asset: INSTRUMENTS[asset].unit for asset in TRADABLE} == {a: Decimal(u) for a, u in OF_SPEC.items()}


@pytest.mark.parametrize("asset", INSTRUMENTS)
def test_the_usual_unit_can_be_set_and_gives_bricks_of_whole_ticks(asset: str) -> None:
    row = INSTRUMENTS[asset]
    assert checked_unit(asset, row.unit) == row.unit
    RenkoStack(row, row.unit)  # raises for a size that is no whole number of ticks
    assert all(points * row.unit % row.tick_size == 0 for points in STREAM_POINTS.values())


@pytest.mark.parametrize(
    ("asset", "unit", "reason"),
    [
        ("ES", "0.25", "was 0.25, half of it must be a whole number of ES's ticks of 0.25: a multiple of 0.50"),
        ("ES", "0.75", "half of it"),
        ("YM", "1", "half of it must be a whole number of YM's ticks of 1: a multiple of 2"),
        ("CL", "0.01", "half of it"),
        ("CL", "0.03", "half of it"),
        ("RTY", "0.7", "half of it"),
        ("EURUSD", "0.00001", "half of it"),
        ("ES", "0.3", "half of it"),
        ("ES", "0", "must be above 0, at most 1000"),
        ("ES", "-1", "must be above 0"),
        ("ES", "1001", "at most 1000"),
        ("ES", "NaN", "must be above 0"),
        ("ES", "Infinity", "must be above 0"),
    ],
)
def test_a_unit_whose_half_is_no_whole_number_of_ticks_is_refused(asset: str, unit: str, reason: str) -> None:
    with pytest.raises(BadUnit, match=reason.replace(".", r"\.")):
        checked_unit(asset, Decimal(unit))


def test_an_unknown_asset_has_no_unit() -> None:
    with pytest.raises(UnknownInstrument):
        checked_unit("XX", Decimal(1))


@pytest.mark.parametrize("asset", TRADABLE)
def test_a_contract_has_the_value_of_a_dollar_of_price_and_the_unit(asset: str) -> None:
    contract = contract_for(asset, NOVEMBER)
    assert contract.point == Decimal(OF_SPEC[asset])
    assert contract.usd(Decimal(1)) == contract.usd_per_price == contract.point_value
    assert contract.points(contract.point * 15) == 15
    assert contract.distance_worth(contract.usd(contract.point * 5), 5) == contract.point
    assert contract_for(asset, NOVEMBER, unit=2 * contract.point).point == 2 * Decimal(OF_SPEC[asset])


@pytest.mark.parametrize("asset", TRADABLE)
def test_the_default_entry_risks_less_than_the_daily_stop_of_a_fifty_thousand_account(asset: str) -> None:
    rules = Rules(contracts={"": contract_for(asset, NOVEMBER)})
    contract = rules.contracts[""]
    for quantity in (rules.entry_qty_6pt, rules.entry_qty_9pt):
        risk = contract.usd(rules.stop_points * contract.point * quantity)
        assert 0 < risk <= rules.demo_equity * rules.daily_stop_limit_pct / 100


def test_before_units_a_point_was_a_dollar_of_price_or_a_pip() -> None:
    assert {asset: earlier_point(asset) for asset in TRADABLE if earlier_point(asset) != 1} == {
        "EURUSD": Decimal("0.0001"),
        "GBPUSD": Decimal("0.0001"),
    }
