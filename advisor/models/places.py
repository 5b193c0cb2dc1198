"""Where models lie: ``<MODELS_PATH>/<symbol>/<timeframe>/<target>/<utc>/``, and ``current``, a link to one of them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from msgspec import Struct

from advisor.ml.boosted import MODEL_FILES, SIDE_FILES
from services.market.instruments import INSTRUMENTS
from wire.ml_engine import MlTimeframe, ModelCard, RrConfig

CURRENT = "current"
CARD = "card.json"
TABLE = "table.json"
BOOSTED = (*MODEL_FILES, *SIDE_FILES)
LARGEST = {CARD: 262_144, TABLE: 1_048_576, **dict.fromkeys(BOOSTED, 16_777_216)}
"""Bytes that each file may have."""

VERSION = re.compile(r"\d{8}T\d{6}Z(-\d{1,3})?", re.ASCII)
TIMEFRAMES: tuple[MlTimeframe, ...] = get_args(MlTimeframe)
RR_CONFIGS: tuple[RrConfig, ...] = get_args(RrConfig)
RANGE = "range"


class Slot(Struct, frozen=True):
    """What one model at a time answers for. `rr` is None for the range."""

    symbol: str
    timeframe: MlTimeframe
    rr: RrConfig | None = None

    @property
    def target(self) -> str:
        """The name of its folder: ``range``, or ``tp_rr_2_1``."""
        return RANGE if self.rr is None else f"tp_{self.rr}"

    def folder(self, root: Path) -> Path:
        """Return where its versions lie."""
        return root / self.symbol / self.timeframe / self.target


TARGETS: dict[str, RrConfig | None] = {RANGE: None, **{f"tp_{rr}": rr for rr in RR_CONFIGS}}


def slot_of(card: ModelCard) -> Slot:
    """Return what a card's model answers for."""
    return Slot(card.symbol, card.timeframe, card.rr if card.target == "tp_first" else None)


def slots_in(root: Path) -> Iterator[Slot]:
    """Yield the slots that have a folder, in the order of symbols, timeframes and targets."""
    for symbol in INSTRUMENTS:
        if not (root / symbol).is_dir():
            continue
        for timeframe in TIMEFRAMES:
            for rr in TARGETS.values():
                slot = Slot(symbol, timeframe, rr)
                if slot.folder(root).is_dir():
                    yield slot


def versions_in(folder: Path) -> list[str]:
    """Return the versions of a slot, oldest first."""
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    return sorted(name for name in names if VERSION.fullmatch(name))


def current_of(folder: Path) -> str | None:
    """Return the version that ``current`` names; None without such a link, or when it leads elsewhere."""
    try:
        name = os.readlink(folder / CURRENT)
    except OSError:
        return None
    return name if VERSION.fullmatch(name) else None


def mark_of(folder: Path) -> str:
    """Return a text that changes with the link, and with the size or time of any file that it leads to."""
    version = current_of(folder)
    if version is None:
        return ""
    seen = [version]
    for name in LARGEST:
        try:
            found = os.stat(folder / version / name)
        except OSError:
            continue
        seen.append(f"{name}:{found.st_size}:{found.st_mtime_ns}:{found.st_ino}")
    return "|".join(seen)
