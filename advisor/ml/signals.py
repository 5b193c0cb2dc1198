"""What would be a trade by the numbers: entry, stop and target, and how often the target came first.

It is information. Only where a card has proven skill is a signal ``actionable``; everywhere else it carries the share
of all bars, and says so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal

import msgspec
from msgspec import Struct

from advisor.ml.amd_lift import PhaseLift
from advisor.ml.atr import ATR_BARS, atr14
from advisor.ml.bars import Series
from advisor.ml.boosted import SideBoosted
from advisor.ml.features import BARS_READ, Features
from advisor.ml.forecast import (
    NEWEST_BARS,
    PROBED,
    TABLE_FILE,
    ModelUnreadable,
    NoForecast,
    checked_files,
    read_boosted,
)
from advisor.ml.labels import RR, SIDES, drawn
from advisor.ml.numbers import price_at, share_of
from advisor.ml.scores import bin_of
from wire.ml_engine import (
    AmdPhase,
    ModelCard,
    ProbSource,
    RangePrediction,
    Reliability,
    RrConfig,
    SignalDirection,
    SignalProblem,
    SignalResponse,
    VolatilityRegime,
)

TP_FEATURES = "tp-2"
"""The version of what is read and of the trade that is measured: tp-1 was entered at the next open."""
FEWEST_TOLD = 20
LEAST_EDGE = 0.1
"""What a trade must be worth, in its risk, before it is called a signal."""
REGIME_BARS = 96
"""With fewer bars it is not said whether the market is quieter than usual."""


class TpTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The shares of all bars whose target came first, long and short, of how many bars; and the lifts of phases."""

    features: str
    rr: RrConfig
    base_rates: tuple[float, float]
    rows: tuple[int, int]
    lifts: tuple[PhaseLift, ...] = ()


class TpModel:
    """How often a target comes before a stop: the share of all bars, and LightGBM where the card earned one."""

    def __init__(self, card: ModelCard, table: TpTable, boosted: SideBoosted | None) -> None:
        self.card = card
        self.table = table
        self._boosted = boosted

    @classmethod
    def from_files(cls, card: ModelCard, files: Mapping[str, bytes]) -> TpModel:
        """Read the files that a card names. Raises ModelUnreadable, with a code as its reason.

        A damaged LightGBM file may end the process that reads it: try an unknown one in a child first.
        """
        if card.target != "tp_first" or card.verdict == "not_trained":
            raise ModelUnreadable("unreadable", f"{card.id} was no card of a target")
        checked = checked_files(card, files)
        try:
            table = msgspec.json.decode(checked[TABLE_FILE], type=TpTable)
        except msgspec.DecodeError as broken:
            raise ModelUnreadable("unreadable", str(broken)) from broken
        if table.features != TP_FEATURES or card.features != TP_FEATURES or table.rr != card.rr:
            raise ModelUnreadable(
                "features_differ", f"{card.id} was made for {card.features}, this reads {TP_FEATURES}"
            )
        if not all(0 <= rate <= 1 for rate in table.base_rates):
            raise ModelUnreadable("unreadable", f"the table of {card.id} holds shares that cannot be")
        return cls(card, table, read_boosted(card, SideBoosted.from_files, checked))

    @property
    def is_proven(self) -> bool:
        """Whether a model with skill answers."""
        return self._boosted is not None

    def probe(self) -> bool:
        """Return whether the model gives what its card says of three rows of inputs."""
        width = 0 if self._boosted is None else self._boosted.width
        for row in self.card.probe:
            inputs, expected = row[:width], row[width:]
            if len(expected) != len(SIDES):
                return False
            chances = self._chances(tuple(float(value) for value in inputs) or None)
            if any(abs(share_of(chance) - said) > PROBED for chance, said in zip(chances, expected, strict=True)):
                return False
        return bool(self.card.probe)

    def chances(self, series: Series) -> tuple[tuple[float, float], ProbSource]:
        """Return how likely the target comes first, long and short, after the newest bar, and what says so."""
        features = None
        if self._boosted is not None:
            recent = series.newest(NEWEST_BARS)
            features = Features(recent, self._boosted.width).row(len(recent) - 1)
        return self._chances(features), "base_rate" if features is None else "model"

    def _chances(self, features: tuple[float, ...] | None) -> tuple[float, float]:
        if self._boosted is None or features is None:
            return self.table.base_rates
        long, short = (
            self._boosted.chances(side, self.table.base_rates[side], [features])[0] for side in range(len(SIDES))
        )
        return long, short


def signal_of(
    series: Series, tp_model: TpModel, range_prediction: RangePrediction | None, phase: AmdPhase
) -> SignalResponse:
    """Return the better side of a symbol after its newest bar. Raises NoForecast without an ATR.

    Entry is the last close. The stop is one ATR14 away, at least a tick, the target so many times as far as the card
    says.
    """
    recent = series.newest(NEWEST_BARS)
    unit = atr14(recent)[-1] if len(recent) >= ATR_BARS else None
    if unit is None or tp_model.card.rr is None:
        raise NoForecast(f"{series.symbol} {series.timeframe}: {len(series)} bars, or none that moved")
    chances, source = tp_model.chances(recent)
    side = 0 if chances[0] >= chances[1] else 1
    happened = _happened(tp_model.card.reliability, chances[side]) if source == "model" else None
    ratio = RR[tp_model.card.rr]
    trade = drawn(series.symbol, recent.close[-1], unit)
    stop_ticks = trade.risk * (1 if SIDES[side] == "long" else -1)
    as_of = recent.ends_at(len(recent) - 1)
    return SignalResponse(
        signal_id=_id(series, tp_model.card, SIDES[side], as_of.isoformat()),
        symbol=series.symbol,
        direction=SIDES[side],
        entry_price=price_at(series.symbol, trade.entry),
        stop_loss=price_at(series.symbol, trade.entry - stop_ticks),
        take_profit=price_at(series.symbol, trade.entry + ratio * stop_ticks),
        risk_reward_ratio=Decimal(ratio),
        prob_tp_first=share_of(chances[side]),
        confidence_score=Decimal(0) if happened is None else happened,
        amd_phase=phase,
        volatility_regime=volatility_regime(series),
        range_prediction=range_prediction,
        timestamp=as_of,
        valid_until=as_of + timedelta(seconds=series.seconds),
        actionable=is_worth_it(chances[side], happened, ratio),
        prob_source=source,
        base_rate=share_of(tp_model.table.base_rates[side]),
        n=tp_model.table.rows[side],
        model=tp_model.card.id,
    )


def why_silent(signal: SignalResponse, is_proven: bool = False) -> SignalProblem | None:
    """Return why a signal is not active, None for one that is. ``is_proven``: its card earned a model."""
    if signal.actionable:
        return None
    share = f"{signal.base_rate} of {signal.n} bars"
    if signal.prob_source == "base_rate":
        detail = f"no model of {signal.symbol} has proven skill: the target came first in {share}"
        if is_proven:
            detail = (
                f"the model of {signal.symbol} was not asked: the last {BARS_READ} bars, or their volumes, are unknown"
            )
    else:
        detail = f"the model gives {signal.prob_tp_first} at {signal.risk_reward_ratio} to 1, which does not pay"
    return SignalProblem(symbol=signal.symbol, error="no_skill", detail=detail)


def volatility_regime(series: Series) -> VolatilityRegime:
    """Return in which third of the ATRs of the bars that are known the newest one lies."""
    known = [unit for unit in atr14(series) if unit is not None]
    if len(known) < REGIME_BARS:
        return "unknown"
    place = sum(unit < known[-1] for unit in known) / len(known)
    if place < 1 / 3:
        return "low"
    return "medium" if place < 2 / 3 else "high"


def is_worth_it(chance: float, happened: Decimal | None, ratio: int) -> bool:
    """Return whether a trade pays both by the chance that a model gives and by what then happened out of sample."""
    return happened is not None and _pays(chance, ratio) and _pays(float(happened), ratio)


def _pays(chance: float, ratio: int) -> bool:
    """Return whether a chance gives more than a tenth of the risk for each trade.

    Just above the chance at which wins make up for losses, costs and the prices between two ticks eat it.
    """
    return chance * (1 + ratio) - 1 > LEAST_EDGE


def _happened(bins: tuple[Reliability, ...], chance: float) -> Decimal | None:
    """Return how often the target came first out of sample where such a chance was given.

    Of the same tenth; where that has fewer than 20 forecasts, of the tenths below it as well until there are 20. None
    when there are not.
    """
    n = 0
    won = Decimal(0)
    for row in reversed(bins):
        if bin_of(float(row.forecast)) > bin_of(chance):
            continue
        n += row.n
        won += row.happened * row.n
        if n >= FEWEST_TOLD:
            return share_of(float(won / n))
    return None


def _id(series: Series, card: ModelCard, side: SignalDirection, as_of: str) -> str:
    text = f"{series.symbol} {series.timeframe} {card.id} {side} {as_of}"
    return f"SIG-{hashlib.sha256(text.encode()).hexdigest()[:8].upper()}"
