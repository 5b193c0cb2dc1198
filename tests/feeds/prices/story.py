"""Market stories: prices heard one after the other, told by New York's clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from feeds.prices.book import PriceBook
from feeds.prices.types import Alert, Candle, InForce, PriceHeard, PriceSource, Setup, SimultaneousBreak, Timeframe
from services.market.session import NEW_YORK

WEDNESDAY = "2026-11-18"
CONTRACTS = {"ES": "MESZ6", "NQ": "MNQZ6", "RTY": "M2KZ6", "YM": "MYMZ6", "GC": "MGCZ6"}
PAUSE = timedelta(seconds=10)


def ny(text: str) -> datetime:
    """Return the UTC instant of a New York wall-clock time: ``2026-11-18 10:00``, or ``10:00`` of that Wednesday."""
    day, _, clock = text.rpartition(" ")
    return datetime.fromisoformat(f"{day or WEDNESDAY} {clock}").replace(tzinfo=NEW_YORK).astimezone(UTC)


class Trader:
    """One price book and the alerts that it gave."""

    def __init__(self, *assets: str) -> None:
        self.book = PriceBook(assets or ("ES",))
        self.alerts: list[Alert] = []

    def hears(
        self,
        price: str | int,
        at: str | datetime,
        asset: str = "ES",
        *,
        contract: str | None = None,
        size: int | None = 1,
        seq: int | None = None,
        source: PriceSource = "ticks",
        simulated: bool = False,
        now: str | None = None,
    ) -> tuple[Alert, ...]:
        """Hear one price and return the alerts that it caused."""
        heard = PriceHeard(
            asset=asset,
            contract=contract or CONTRACTS.get(asset, asset),
            price=Decimal(price),
            at=ny(at) if isinstance(at, str) else at,
            size=size,
            seq=seq,
            source=source,
            simulated=simulated,
        )
        alerts = self.book.hear(heard, None if now is None else ny(now))
        self.alerts.extend(alerts)
        return alerts

    def newest(self, timeframe: Timeframe = "1m", asset: str = "ES") -> Candle:
        """Return the newest candle."""
        return self.book.candles(asset, timeframe, 1)[-1]

    def in_force(self, timeframe: Timeframe = "1m") -> list[InForce]:
        """Return the alerts of a timeframe so far."""
        return [alert for alert in self.alerts if isinstance(alert, InForce) and alert.timeframe == timeframe]

    def simultaneous(self, timeframe: str = "1m") -> list[SimultaneousBreak]:
        """Return the simultaneous breaks so far whose members are of a timeframe."""
        found = [alert for alert in self.alerts if isinstance(alert, SimultaneousBreak)]
        return [alert for alert in found if alert.members[0].timeframe == timeframe]


class Minutes(Trader):
    """A story in candles of one minute. It has listened before: the first candle told is whole."""

    def __init__(self) -> None:
        super().__init__("ES")
        self.minute = ny("10:00")
        self.candle("5000")

    def candle(self, *prices: str | int) -> tuple[Alert, ...]:
        """Hear the prices of the next minute, ten seconds apart, and return the one-minute alerts."""
        alerts: list[Alert] = []
        for count, price in enumerate(prices):
            alerts.extend(self.hears(price, self.minute + count * PAUSE))
        self.minute += timedelta(minutes=1)
        return tuple(alert for alert in alerts if isinstance(alert, InForce) and alert.timeframe == "1m")

    def setups(self) -> list[Setup]:
        """Return the setups of the one-minute candles."""
        return [setup for setup in self.book.setups("ES") if setup.timeframe == "1m"]

    @property
    def scenarios(self) -> list[str | None]:
        """The scenarios of the candles told, without the one before the story."""
        return [candle.scenario for candle in self.book.candles("ES", "1m", 200)[1:]]
