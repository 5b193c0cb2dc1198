"""Bars from files: the recorded days that are shipped (``tapes``), and whatever lies in the drop folder (``folder``).

A file's name, or that of the folder it lies in, says its symbol. What a file does not say of itself stands in an
``options.toml`` beside it (docs/how-to/data.md).
"""

from __future__ import annotations

import time
import tomllib
from collections.abc import Callable, Iterator
from datetime import datetime
from fnmatch import fnmatch
from itertools import islice
from pathlib import Path

import msgspec
from msgspec import Struct

from feeds.bars.types import MINUTE, Bar
from feeds.providers.minutes import MOST_AT_ONCE, Keep, minutes_of
from feeds.providers.provider import ProviderFailed, ProviderReport, ProviderStatus, Reporting
from services.market.instruments import INSTRUMENTS, resolve_asset
from services.market.price_files.names import quoted_side, symbols_in
from services.market.price_files.options import PriceFileError, ReadingOptions, shortened
from services.market.price_files.reader import PriceFile, open_price_file

OPTIONS_FILE = "options.toml"
DEFAULT_SECTION = "default"
MOST_FILES = 10_000
NO_SYMBOL = "its name has no known symbol: name it as ES_1m.csv, or put it into a folder ES"
PASSED_AT_ONCE = 10_000
NO_PRICES = {".toml", ".md", ".pdf", ".html", ".part", ".tmp", ".json"}


class NamedFile(Struct, frozen=True):
    """A file and what its name says: ``spelling`` is the symbol as written, ``asset`` the instrument it names."""

    path: Path
    place: str
    asset: str
    spelling: str


class FileProvider:
    """Reads the files of one folder and of the folders in it. Without a folder it is off."""

    def __init__(
        self, name: str, folder: Path | None, pattern: str = "*", clock: Callable[[], float] = time.time
    ) -> None:
        """Read files below ``folder`` whose names fit ``pattern``; ``clock`` says which minutes have ended."""
        self._name = name
        self._folder = folder
        self._pattern = pattern
        self._clock = clock
        self._left_out = Reporting()
        self._last_t: int | None = None

    @property
    def name(self) -> str:
        """Its name in ``/health``."""
        return self._name

    def status(self) -> ProviderStatus:
        """Return whether the folder is there."""
        if self._folder is None:
            return ProviderStatus(self._name, "off", None, "not_chosen")
        if not self._folder.is_dir():
            return ProviderStatus(self._name, "error", self._last_t, "no_folder")
        return ProviderStatus(self._name, "ok", self._last_t)

    def covers(self, symbol: str) -> bool:
        """Return whether a file is named after the asset."""
        return any(file.asset == symbol for file in self._named_files(Reporting()))

    def report(self) -> ProviderReport:
        """Return what the newest call of `bars` left out."""
        return self._left_out.report()

    def bars(self, symbol: str, start: datetime, end: datetime) -> Iterator[list[Bar]]:
        """Yield the minutes of every file of the asset, file by file in the order of their names.

        Of a minute in several files the first one counts, so that the same files give the same bars again. Raises
        `ProviderFailed` when the folder is not there.
        """
        self._left_out.begin()
        if self._folder is None or not self._folder.is_dir():
            raise ProviderFailed("no_folder", f"The folder of {self._name} is not there.", is_permanent=True)
        from_t, until_t = int(start.timestamp()), int(end.timestamp())
        given = bytearray((max(until_t - from_t, 0) // MINUTE >> 3) + 1)  # a bit for each minute
        gathered: list[Bar] = []
        passed = 0
        nobodys = Reporting()  # told last: what is wrong with the asset's own files comes first
        for file in self._named_files(nobodys):
            if file.asset != symbol:
                continue
            for bar in self._bars_of(file):
                byte, bit = divmod((bar.t - from_t) // MINUTE, 8)
                if not from_t <= bar.t < until_t or given[byte] & 1 << bit:
                    passed += 1
                    if not passed % PASSED_AT_ONCE:
                        yield []  # a sign of life: a large file of other days takes a while
                    continue
                given[byte] |= 1 << bit
                gathered.append(bar)
                if len(gathered) >= MOST_AT_ONCE:
                    self._last_t = max(self._last_t or 0, gathered[-1].t)
                    yield gathered
                    gathered = []
        if gathered:
            self._last_t = max(self._last_t or 0, gathered[-1].t)
            yield gathered
        for other in nobodys.report().named:
            self._left_out.leave_out(other.place, other.line, other.reason)

    def _bars_of(self, file: NamedFile) -> Iterator[Bar]:
        """Yield the minutes of one file. A file that cannot be read is reported and left out."""
        reason = _why_not_prices(file)
        if reason is not None:
            self._left_out.leave_out(file.place, None, reason)
            return
        try:
            options = msgspec.structs.replace(_options_of(file.path), asset=file.asset)
            with file.path.open("rb") as stream:
                prices = open_price_file(stream, file.path.name, options)
                spelling = _spelling_of(prices, file)
                is_over = _over_when(file.path.stat().st_mtime, self._clock())
                yield from minutes_of(prices, file.asset, spelling, is_over, self._left_out)
        except PriceFileError as refused:
            self._left_out.leave_out(file.place, refused.line, refused.reason)
        except OSError as broken:
            self._left_out.leave_out(file.place, None, f"it cannot be read: {broken.strerror}")

    def _named_files(self, left_out: Reporting) -> Iterator[NamedFile]:
        folder = self._folder
        if folder is None or not folder.is_dir():
            return
        found = (path for path in folder.rglob(self._pattern) if _may_hold_prices(path.relative_to(folder)))
        paths = sorted(islice(found, MOST_FILES + 1))
        if len(paths) > MOST_FILES:
            left_out.leave_out("", None, f"there are more than {MOST_FILES} files: some were not looked at")
        for path in paths[:MOST_FILES]:
            if not path.is_file():
                continue
            place = path.relative_to(folder).as_posix()
            named = symbols_in(place)
            if len(named) == 1:
                yield NamedFile(path, place, named[0].asset, named[0].spelling)
            elif named:
                several = ", ".join(symbol.asset for symbol in named)
                left_out.leave_out(place, None, f"its name has several symbols ({several}): name it after one")
            else:
                left_out.leave_out(place, None, NO_SYMBOL)


def _over_when(written: float, now: float) -> Keep:
    """Return whether a minute is over by now, and was not the running one when its file was written (epoch seconds).

    No more is made of the time of a file: what unpacks it may set it to any day.
    """

    def is_over(start: datetime) -> bool:
        t = start.timestamp()
        return t + MINUTE <= now and not t <= written < t + MINUTE

    return is_over


def _spelling_of(prices: PriceFile, file: NamedFile) -> str:
    """Return how the symbol is spelled: in its column, where that names a known one, else in the file's name.

    Raises PriceFileError for a file that holds another asset than its name says.
    """
    held = resolve_asset(prices.symbol, INSTRUMENTS) if prices.symbol else None
    if held is None or prices.symbol is None:
        return file.spelling
    if held != file.asset:
        raise PriceFileError(file.place, None, f"it holds {shortened(prices.symbol)}, and its name says {file.asset}")
    return prices.symbol


def _why_not_prices(file: NamedFile) -> str | None:
    """Return why the quotes of a file are not its asset's prices: a future is what was traded, a CFD is its bid."""
    side = quoted_side(file.path.name)
    if side == "ask":
        return "its name says that it holds asks: bars are of trades, or of bids where nothing is traded"
    if side == "bid" and INSTRUMENTS[file.asset].roll is not None:
        return "its name says that it holds bids: the bars of a future are of its trades"
    return None


def _may_hold_prices(below: Path) -> bool:
    is_hidden = any(part.startswith((".", "__")) for part in below.parts)
    return not is_hidden and below.suffix.lower() not in NO_PRICES


def _options_of(path: Path) -> ReadingOptions:
    """Return what the ``options.toml`` beside a file says of it. Raises PriceFileError for one that cannot be read."""
    beside = path.with_name(OPTIONS_FILE)
    if not beside.is_file():
        return ReadingOptions()
    try:
        sections = tomllib.loads(beside.read_text("utf-8"))
        said: dict[str, object] = dict(sections.get(DEFAULT_SECTION, {}))
        for pattern, section in sections.items():
            if pattern != DEFAULT_SECTION and fnmatch(path.name, pattern):
                said |= section
        return msgspec.convert(said, ReadingOptions, strict=False)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError, TypeError, ValueError) as wrong:
        raise PriceFileError(OPTIONS_FILE, None, f"it cannot be read: {wrong}") from wrong
