"""Models for tests, trained by the program's own functions, and what one does to their files."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from advisor.ml.bars import Minute, Series, series_of
from advisor.ml.train import Trained, train
from tests.support.advisor_floor import HOUR, quiet_after_noise
from wire.ml_engine import ModelCard

ENDS = int(datetime(2026, 6, 1, tzinfo=UTC).timestamp())


@cache
def quiet_model() -> tuple[ModelCard, dict[str, bytes]]:
    """Return the card and the table of a market without an edge."""
    trained = train(quiet_series(), datetime.fromtimestamp(ENDS + HOUR, UTC))
    assert isinstance(trained, Trained)
    return trained.range.card, trained.range.files


def quiet_series(ends: int = ENDS) -> Series:
    """Return two weeks of such a market."""
    minutes = [
        Minute(bar.t, float(bar.open), float(bar.high), float(bar.low), float(bar.close), 10.0, bar.source)
        for bar in quiet_after_noise("ETHUSD", ends, 14)
    ]
    return series_of("ETHUSD", "1h", minutes, datetime.fromtimestamp(ends, UTC))


def rewrite(version: Path, **fields: Any) -> None:
    """Change fields of a card."""
    card = json.loads((version / "card.json").read_text())
    (version / "card.json").write_text(json.dumps(card | fields))


def rehash(version: Path) -> None:
    """Let the card name the files as they are: it tells the truth about something broken."""
    card = json.loads((version / "card.json").read_text())
    rewrite(version, files={name: sha256((version / name).read_bytes()).hexdigest() for name in card["files"]})
