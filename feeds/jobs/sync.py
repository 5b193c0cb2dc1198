"""What one sync does, in its child process: asks the providers of a symbol and stores their minutes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

import structlog
from msgspec import Struct

from feeds.bars.rows import row_of
from feeds.bars.store import BarStore
from feeds.bars.types import MINUTE, Bar, BarRefused
from feeds.jobs.messages import MOST_PROBLEMS, Done, Progress, problem_of
from feeds.providers.provider import Provider, ProviderFailed, ProviderReport, Reporting

logger = structlog.get_logger(__name__)


class SyncOrder(Struct, frozen=True, kw_only=True):
    """What to sync: the minutes of a symbol from ``start`` until just before ``end``, of one provider or of all.

    ``ends_now``: nobody named an end that is past, ``end`` is the minute in which it was ordered.
    """

    symbol: str
    start: datetime
    end: datetime
    provider: str | None = None
    ends_now: bool = False

    def is_same(self, other: SyncOrder) -> bool:
        """Return whether both ask for the same; one that ends now and is repeated a minute later does."""
        is_same_end = (self.ends_now and other.ends_now) or self.end == other.end
        return is_same_end and (self.symbol, self.start, self.provider) == (other.symbol, other.start, other.provider)


class Given:
    """The minutes of a job that its providers have given. A later provider adds to them and replaces none.

    Otherwise two providers that differ would replace each other's minutes in every sync, and no sync would be the last.
    One bit for each minute of the order: ten years are 650 KB.
    """

    def __init__(self, order: SyncOrder) -> None:
        """Begin with none."""
        self._first = int(order.start.timestamp()) // MINUTE
        self._last = int(order.end.timestamp() - 1) // MINUTE
        self._earlier = bytearray(max(0, self._last - self._first) // 8 + 1)
        self._present = bytearray(len(self._earlier))

    def new_of(self, bars: Iterable[Bar]) -> Iterator[Bar]:
        """Yield the bars inside the order whose minutes no earlier provider has given."""
        for bar in bars:
            place = bar.t // MINUTE - self._first
            byte, bit = place >> 3, 1 << (place & 7)
            if 0 <= place <= self._last - self._first and not self._earlier[byte] & bit:
                self._present[byte] |= bit
                yield bar

    def end_provider(self) -> None:
        """Begin the next provider."""
        both = int.from_bytes(self._earlier, "little") | int.from_bytes(self._present, "little")
        self._earlier = bytearray(both.to_bytes(len(self._earlier), "little"))


def sync(order: SyncOrder, providers: Sequence[Provider], store: BarStore, tell: Callable[[Progress], None]) -> Done:
    """Store what the providers have. What one has given before it failed stays; repeating adds what is missing."""
    rows = 0
    newest: dict[str, int] = {}
    problems: list[str] = []
    failures = 0
    asked = [one for one in providers if order.provider in (None, one.name) and one.covers(order.symbol)]
    given = Given(order)
    for provider in asked:
        last: int | None = None
        refused = Reporting()
        try:
            for batch in provider.bars(order.symbol, order.start, order.end):
                fresh = list(given.new_of(_storable(batch, refused)))
                rows += store.put(fresh)
                last = max((last or 0, *(bar.t for bar in fresh))) if fresh else last
                tell(Progress(rows))
        except ProviderFailed as error:
            failures += 1
            problems.append(f"{provider.name}: {error}")
            logger.warning("a provider of bars failed", provider=provider.name, reason=str(error))
        given.end_provider()
        if last is not None:
            newest[provider.name] = last
        problems.extend(_left_out(provider.name, refused.report(), provider.report()))
    return Done(
        rows=rows,
        newest=newest,
        problems=tuple(map(problem_of, problems[:MOST_PROBLEMS])),
        failed=bool(asked) and failures == len(asked),
        has_provider=bool(asked),
    )


def _storable(bars: Iterable[Bar], refused: Reporting) -> Iterator[Bar]:
    """Yield the bars that the store takes; one that it refuses would keep the others of its batch out, too."""
    for bar in bars:
        try:
            row_of(bar)
        except BarRefused as error:
            refused.leave_out("", None, str(error))
        else:
            yield bar


def _left_out(name: str, *reports: ProviderReport) -> list[str]:
    """Return what of a provider's was left out, in one sentence; nothing when nothing was."""
    count = sum(report.left_out for report in reports)
    if not count:
        return []
    first = next((one for report in reports for one in report.named), None)
    line = "" if first is None or first.line is None else f" line {first.line}"
    place = "" if first is None or not first.place else f" {first.place}{line}"
    example = "" if first is None else f", first{place}: {first.reason}"
    return [f"{name}: {count} left out{example}"]
