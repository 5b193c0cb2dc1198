"""What the providers that ask a server have in common: off unless it is chosen, and how the newest call ended."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from feeds.bars.types import MINUTE, Bar
from feeds.providers.asking import Asker
from feeds.providers.provider import ProviderFailed, ProviderReport, ProviderStatus, Reporting

Query = Mapping[str, str | int]


class ServerProvider(ABC):
    """A provider that asks one server. Nothing is sent while it is off."""

    name: str

    def __init__(
        self, url: str, pause: Callable[[float], None] = time.sleep, clock: Callable[[], float] = time.time
    ) -> None:
        """Ask at `url`; ``clock`` says which minutes have ended."""
        self._url = url
        self._pause = pause
        self._clock = clock
        self._left_out = Reporting()
        self._last_t: int | None = None
        self._failure: str | None = None

    @property
    @abstractmethod
    def off(self) -> ProviderFailed | None:
        """Why it is off; None while it may be asked."""

    @abstractmethod
    def covers(self, symbol: str) -> bool:
        """Return whether it may have bars of an asset."""

    @abstractmethod
    def _asker(self) -> Asker:
        """Return what asks the server."""

    @abstractmethod
    def _pages(self, asker: Asker, symbol: str, start: datetime, until_t: int) -> Iterator[list[Bar]]:
        """Yield the minutes from ``start`` on that begin before ``until_t``, all of which have ended."""

    def status(self) -> ProviderStatus:
        """Return whether it may be asked, and how the newest call ended."""
        if self.off is not None:
            return ProviderStatus(self.name, "off", None, self.off.code)
        return ProviderStatus(self.name, "error" if self._failure else "ok", self._last_t, self._failure)

    def report(self) -> ProviderReport:
        """Return what the newest call of `bars` left out."""
        return self._left_out.report()

    def bars(self, symbol: str, start: datetime, end: datetime) -> Iterator[list[Bar]]:
        """Yield the minutes that have ended, page by page. Raises `ProviderFailed`.

        An empty page is yielded, too, as a sign of life: years before the first day of a product are many of them.
        """
        self._left_out.begin()
        self._failure = None
        if self.off is not None:
            raise self.off
        until_t = min(int(end.timestamp()), int(self._clock()) // MINUTE * MINUTE)
        asker = self._asker()
        try:
            for page in self._pages(asker, symbol, start, until_t):
                if page:
                    self._last_t = page[-1].t
                yield page
        except ProviderFailed as failed:
            self._failure = failed.code
            raise
        finally:
            asker.close()
