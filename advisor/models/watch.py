"""Follows the closed bars of what is served: keeps forecasts, settles them, tells new signals and phases."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Callable

import structlog

from advisor.coverage import CoverageBook, Forecast
from advisor.ml.amd import ANSWER_BARS, phases
from advisor.ml.bars import Series
from advisor.ml.forecast import Outlook
from advisor.ml.numbers import decimal_of
from advisor.models.engine import USUAL_LOOKBACK, MlEngine
from advisor.models.history import History
from advisor.models.places import Slot
from advisor.models.shelf import Shelf
from sidecar.problems import ServiceRefused
from wire.ml_engine import AmdChange, AmdPhase, MlTimeframe, RangeBands, SignalResponse

logger = structlog.get_logger(__name__)

LOOK_SECONDS = 1.0
DIGITS = 9
"""Of a price: 1.10005 + 0.00012 is 1.10017, and a bar that touches it holds."""

Pair = tuple[str, MlTimeframe]


class Watch:
    """Looks each second whether a bar has closed. Everything runs on one loop."""

    def __init__(self, history: History, shelf: Shelf, engine: MlEngine, coverage: CoverageBook) -> None:
        """Watch the symbols and timeframes that have a model."""
        self._history = history
        self._shelf = shelf
        self._engine = engine
        self._coverage = coverage
        self._looked_at: dict[Pair, Series] = {}
        self._phases: dict[Pair, AmdPhase] = {}
        self._told: dict[Slot, str] = {}
        self.on_signal: Callable[[SignalResponse], None] = lambda signal: None
        """Hears each signal once, when it becomes active."""

        self.on_phase: Callable[[AmdChange], None] = lambda change: None
        """Hears each change of a phase."""

    async def run(self) -> None:
        """Look until the task is cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    def look_anew(self) -> None:
        """Look at every bar again: other models are served."""
        self._looked_at.clear()

    async def look(self) -> None:
        """Take in the bars that have closed since the last time."""
        for pair in dict.fromkeys((slot.symbol, slot.timeframe) for slot in self._shelf.slots()):
            try:
                series = await self._history.closed(*pair)
                if not len(series) or self._looked_at.get(pair) is series:
                    continue
                self._settle(series)
                self._looked_at[pair] = series
                self._tell_phase(pair, await self._history.recent(*pair))
                self._take(pair, await self._history.current(*pair))
            except ServiceRefused as refused:
                logger.debug("no bar to look at", symbol=pair[0], timeframe=pair[1], reason=refused.code)
            except Exception:  # of one pair: the others are looked at all the same
                logger.exception("the newest bar could not be taken in", symbol=pair[0], timeframe=pair[1])

    def _take(self, pair: Pair, series: Series) -> None:
        """Note the forecasts of the bar that runs, and tell new signals. Raises `ServiceRefused`."""
        model = self._shelf.range_model(*pair)
        if model is not None:
            self._note(self._engine.bands_of(model, series), self._engine.outlook_of(model, series))
        for slot in self._shelf.slots():
            if (slot.symbol, slot.timeframe) == pair and slot.rr is not None:
                self._tell_signal(slot, series)

    # -- forecasts ----------------------------------------------------------------------------------------------

    def _note(self, bands: RangeBands, outlook: Outlook) -> None:
        close = float(bands.close)
        for band, up, down in zip(bands.bands, outlook.high, outlook.low, strict=True):
            forecast = Forecast(
                symbol=bands.asset,
                timeframe=bands.timeframe,
                quantile=float(band.quantile),
                as_of=int(bands.as_of.timestamp()),
                ends_at=int(bands.valid_until.timestamp()),
                method=bands.method,
                model=bands.model,
                high=float(band.high),
                low=float(band.low),
                exact_high=round(close + float(decimal_of(up)), DIGITS),
                exact_low=round(close - float(decimal_of(down)), DIGITS),
            )
            self._coverage.note(forecast)

    def _settle(self, series: Series) -> None:
        """Note what became of the forecasts whose bars have closed. A bar that never came says nothing."""
        for forecast in self._coverage.open_forecasts(series.symbol, series.timeframe):
            place = bisect_left(series.starts, forecast.as_of)
            if place == len(series):
                continue  # no bar since
            if series.starts[place] == forecast.as_of:
                self._coverage.settle(forecast, series.high[place], series.low[place])
            else:
                self._coverage.settle(forecast, None, None)

    # -- what is told -------------------------------------------------------------------------------------------

    def _tell_phase(self, pair: Pair, series: Series) -> None:
        found = phases(series.newest(USUAL_LOOKBACK + ANSWER_BARS), USUAL_LOOKBACK)
        before = self._phases.get(pair)
        if before is None:
            before = found[-2].phase if len(found) > 1 else found[-1].phase
        now = found[-1].phase
        self._phases[pair] = now
        if now != before:
            at = series.ends_at(len(series) - 1)
            self.on_phase(AmdChange(symbol=pair[0], old_phase=before, new_phase=now, timeframe=pair[1], timestamp=at))

    def _tell_signal(self, slot: Slot, series: Series) -> None:
        if slot.rr is None:
            return
        signal = self._engine.signal_after(series, slot.rr)
        if signal.actionable and self._told.get(slot) != signal.signal_id:
            self._told[slot] = signal.signal_id
            self.on_signal(signal)
