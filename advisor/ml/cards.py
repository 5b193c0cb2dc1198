"""Model cards: what a model is, what it was measured against, and why it is served."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from importlib.metadata import version
from typing import Literal

from msgspec import Struct

from advisor.ml.bars import Series, digest_of
from advisor.ml.bootstrap import RESAMPLES, SEED
from advisor.ml.walk import FIRST_TEST, Session, embargo, purged
from wire.ml_engine import CardData, ModelCard, Reliability, RrConfig, Skill, Verdict
from wire.types import Instant

LIBRARIES = ("lightgbm", "numpy")


class Made(Struct, frozen=True):
    """A card and the files that it names."""

    card: ModelCard
    files: dict[str, bytes]


class Origin(Struct, frozen=True):
    """What every card of one training shares."""

    series: Series
    sessions: list[Session]
    now: Instant
    program: str
    bars: CardData


class Finding(Struct, frozen=True, kw_only=True):
    """What a walk forward found, as a card says it. ``with_model``: LightGBM was tried."""

    target: Literal["range", "tp_first"]
    features: str
    horizon: int
    rr: RrConfig | None = None
    n: int
    base_rate: Decimal | None = None
    losses: dict[str, Decimal]
    skills: tuple[Skill, ...]
    coverage: dict[str, Decimal]
    inside: dict[str, Decimal]
    reliability: tuple[Reliability, ...] = ()
    verdict: Verdict
    why: str
    probe: tuple[tuple[Decimal, ...], ...]
    with_model: bool


def origin_of(series: Series, sessions: list[Session], now: Instant, program: str) -> Origin:
    """Return what the cards of a training share; the digest reads every bar once."""
    last = len(series) - 1
    bars = CardData(
        sources=dict(sorted(series.sources.items())),
        first=series.begins_at(0),
        last=series.begins_at(last),
        sessions=len(sessions),
        rows=len(series),
        sha256=digest_of(series),
    )
    return Origin(series, sessions, now, program, bars)


def made_of(origin: Origin, finding: Finding, files: dict[str, bytes]) -> Made:
    """Return the card of a finding with the hashes of its files."""
    kind = finding.target if finding.rr is None else f"{finding.target}-{finding.rr}"
    series = origin.series
    card = ModelCard(
        id=f"{series.symbol}-{series.timeframe}-{kind}-{origin.now:%Y%m%dT%H%M%SZ}",
        symbol=series.symbol,
        timeframe=series.timeframe,
        target=finding.target,
        made_at=origin.now,
        program=origin.program,
        libraries={name: version(name) for name in LIBRARIES} if finding.with_model else {},
        features=finding.features,
        horizon=finding.horizon,
        rr=finding.rr,
        data=origin.bars,
        protocol=protocol_of(finding.horizon),
        n=finding.n,
        base_rate=finding.base_rate,
        losses=finding.losses,
        skills=finding.skills,
        coverage=finding.coverage,
        inside=finding.inside,
        reliability=finding.reliability,
        verdict=finding.verdict,
        why=finding.why,
        probe=finding.probe,
        files={name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    )
    return Made(card, files)


def protocol_of(horizon: int) -> str:
    """Return how it was measured, as a sentence."""
    return (
        f"expanding walk forward by session from the {FIRST_TEST + 1}th on, labels of {horizon} bars, "
        "distances in whole ticks, "
        f"purge {purged(horizon)} and embargo {embargo(horizon)} bars, "
        f"bootstrap of whole sessions with {RESAMPLES} resamples, seed {SEED}, 95 % intervals"
    )
