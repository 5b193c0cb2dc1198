"""What the ML engine answers: ranges, signals and phases of closed bars, by the models that are served."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from msgspec import Struct

from advisor.coverage import CoverageBook
from advisor.ml.amd import amd_answer
from advisor.ml.bars import Series
from advisor.ml.forecast import Held, NoForecast, Outlook, RangeModel
from advisor.ml.signals import signal_of, why_silent
from advisor.ml.table import QUANTILES
from advisor.models.history import History
from advisor.models.sessions import SessionCounts
from advisor.models.shelf import Shelf
from services.market.instruments import INSTRUMENTS, resolve_asset
from sidecar.problems import ServiceRefused
from wire.ml_engine import (
    ActiveSignals,
    AmdAnswer,
    AmdPhase,
    MlHealth,
    MlTimeframe,
    ModelCard,
    RangeBands,
    RangePrediction,
    RrConfig,
    SignalProblem,
    SignalResponse,
)
from wire.program import VERSION

SERVED_QUANTILE = 0.8
LIFT_RR: RrConfig = "rr_2_1"
"""The phases are measured by the target at twice the stop."""

SHORTEST_LOOKBACK = 50
USUAL_LOOKBACK = 100
LONGEST_LOOKBACK = 5_000


class _Told(Struct, frozen=True):
    """Bands as they were made, and of what."""

    series: Series
    model: RangeModel
    edition: int
    bands: RangeBands


class MlEngine:
    """Answers by the models of `shelf`. Every call raises `ServiceRefused` when it cannot."""

    def __init__(self, history: History, shelf: Shelf, coverage: CoverageBook, sessions: SessionCounts) -> None:
        """Read bars of `history`; `coverage` says which forecasts held."""
        self._history = history
        self._shelf = shelf
        self._coverage = coverage
        self._sessions = sessions
        self._told: dict[tuple[str, MlTimeframe], _Told] = {}

    # -- ranges -------------------------------------------------------------------------------------------------

    async def bands(self, symbol: str, timeframe: MlTimeframe) -> RangeBands:
        """Return the usual range of the next bar."""
        model = await self._range_model(symbol, timeframe)
        series = await self._history.current(symbol, timeframe)
        told = self._told.get((symbol, timeframe))
        edition = self._coverage.edition
        if told is None or told.series is not series or told.model is not model or told.edition != edition:
            method = self.outlook_of(model, series).method
            held = {quantile: self._coverage.held(symbol, timeframe, quantile, method).drawn for quantile in QUANTILES}
            told = _Told(series, model, edition, self.bands_of(model, series, held))
            self._told[symbol, timeframe] = told
        return told.bands

    def bands_of(self, model: RangeModel, series: Series, held: dict[float, Held] | None = None) -> RangeBands:
        """Return what a model says of these bars."""
        try:
            return model.bands(series, held)
        except NoForecast as error:
            raise ServiceRefused("no_bars", str(error)) from error

    def outlook_of(self, model: RangeModel, series: Series) -> Outlook:
        """Return what a model says of these bars in exact distances, and by which method."""
        try:
            return model.outlook(series)
        except NoForecast as error:
            raise ServiceRefused("no_bars", str(error)) from error

    async def prediction(self, symbol: str, timeframe: MlTimeframe) -> RangePrediction:
        """Return how far the next bar goes, in four of five cases."""
        model = await self._range_model(symbol, timeframe)
        return self._prediction(model, await self._history.current(symbol, timeframe))

    def _prediction(self, model: RangeModel, series: Series) -> RangePrediction:
        method = self.outlook_of(model, series).method
        held = self._coverage.held(series.symbol, series.timeframe, SERVED_QUANTILE, method)
        try:
            return model.predict(series, SERVED_QUANTILE, held.exact)
        except NoForecast as error:
            raise ServiceRefused("no_bars", str(error)) from error

    async def _range_model(self, symbol: str, timeframe: MlTimeframe) -> RangeModel:
        model = self._shelf.range_model(symbol, timeframe)
        if model is None:
            raise ServiceRefused("not_trained", await self._sessions.sentence(symbol, timeframe))
        return model

    # -- signals ------------------------------------------------------------------------------------------------

    async def signal(self, symbol: str, timeframe: MlTimeframe, rr: RrConfig) -> SignalResponse:
        """Return the better side of a symbol by the numbers, proven or not."""
        if self._shelf.tp_model(symbol, timeframe, rr) is None:
            raise ServiceRefused("not_trained", await self._sessions.sentence(symbol, timeframe))
        return self.signal_after(await self._history.current(symbol, timeframe), rr)

    def signal_after(self, series: Series, rr: RrConfig) -> SignalResponse:
        """Return the better side after these bars."""
        symbol, timeframe = series.symbol, series.timeframe
        model = self._shelf.tp_model(symbol, timeframe, rr)
        if model is None:
            raise ServiceRefused("not_trained", f"{symbol} {timeframe}: there is no model")
        ranges = self._shelf.range_model(symbol, timeframe)
        try:
            prediction = None if ranges is None else self._prediction(ranges, series)
            return signal_of(series, model, prediction, self._phase_of(series))
        except NoForecast as error:
            raise ServiceRefused("no_bars", str(error)) from error

    async def active(self, names: Sequence[str] | None, timeframe: MlTimeframe, rr: RrConfig) -> ActiveSignals:
        """Return the signals that a proven model stands behind, of these symbols, or of all that have a card."""
        carded = tuple(dict.fromkeys(slot.symbol for slot in self._shelf.slots()))
        if not carded:
            raise ServiceRefused("not_trained", "no symbol has a model yet: python -m advisor models train")
        asked = {name: resolve_asset(name, INSTRUMENTS) for name in names or carded}
        processed = tuple(dict.fromkeys(symbol for symbol in asked.values() if symbol is not None))
        found = await asyncio.gather(*(self._active_of(symbol, timeframe, rr) for symbol in processed))
        unknown = [_unknown(name) for name, symbol in asked.items() if symbol is None]
        return ActiveSignals(
            signals=tuple(one for one in found if isinstance(one, SignalResponse)),
            generated_at=datetime.now(UTC),
            symbols_processed=processed,
            errors=(*(one for one in found if isinstance(one, SignalProblem)), *unknown),
        )

    async def _active_of(self, symbol: str, timeframe: MlTimeframe, rr: RrConfig) -> SignalResponse | SignalProblem:
        try:
            signal = await self.signal(symbol, timeframe, rr)
        except ServiceRefused as refused:
            code = refused.code
            if code != "not_trained" and code != "no_bars" and code != "stale":
                raise
            return SignalProblem(symbol=symbol, error=code, detail=str(refused))
        model = self._shelf.tp_model(symbol, timeframe, rr)
        return why_silent(signal, model is not None and model.is_proven) or signal

    # -- phases -------------------------------------------------------------------------------------------------

    async def amd(self, symbol: str, timeframe: MlTimeframe, lookback: int = USUAL_LOOKBACK) -> AmdAnswer:
        """Return the phase that a symbol is in."""
        return self.amd_after(await self._history.recent(symbol, timeframe), lookback)

    def amd_after(self, series: Series, lookback: int = USUAL_LOOKBACK) -> AmdAnswer:
        """Return the phase after these bars."""
        model = self._shelf.tp_model(series.symbol, series.timeframe, LIFT_RR)
        answer = amd_answer(series, lookback, () if model is None else model.table.lifts)
        if answer is None:
            raise ServiceRefused("no_bars", f"no recorded bars of {series.symbol} {series.timeframe}")
        return answer

    def _phase_of(self, series: Series) -> AmdPhase:
        return self.amd_after(series).phase

    # -- the rest -----------------------------------------------------------------------------------------------

    def health(self) -> MlHealth:
        """Return how the ML engine is. It is degraded while bars cannot be read, or a model could not be taken."""
        trouble, ids = self._shelf.trouble(), self._shelf.ids()
        faults = self._shelf.fault, self._coverage.trouble
        is_well = self._history.is_up and not trouble and faults == (None, None)
        return MlHealth(
            status="healthy" if is_well else "degraded",
            version=VERSION,
            models_loaded=bool(ids),
            timestamp=datetime.now(UTC),
            models=ids,
            trouble=trouble,
            feeds=self._history.is_up,
        )

    async def cards(self) -> tuple[ModelCard, ...]:
        """Return every card, newest first."""
        return await self._shelf.cards()


def _unknown(name: str) -> SignalProblem:
    known = ", ".join(INSTRUMENTS)
    return SignalProblem(symbol=name[:40], error="unknown_symbol", detail=f"it is no symbol of this service: {known}")
