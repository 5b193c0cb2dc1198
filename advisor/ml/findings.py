"""What a walk forward found: losses, skills with intervals, the verdict, and the files that answer."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

import msgspec

from advisor.ml.amd_lift import MEASURED_RR, Pointing, lifts_of
from advisor.ml.boosted import Boosted, SideBoosted
from advisor.ml.bootstrap import Interval, skill
from advisor.ml.cards import Finding, Made, Origin, made_of
from advisor.ml.features import FeatureRows
from advisor.ml.forecast import TABLE_FILE
from advisor.ml.labels import BARRIER_HORIZON, RANGE_HORIZON
from advisor.ml.ladder import range_verdict, tp_verdict
from advisor.ml.numbers import decimal_of, share_of
from advisor.ml.range_walk import Losses, RangeWalk
from advisor.ml.scores import reliability
from advisor.ml.signals import TP_FEATURES, TpTable
from advisor.ml.table import FEATURES, RangeTable
from advisor.ml.tp_walk import Labels, TpWalk
from wire.ml_engine import RrConfig, Skill

PROBED_HOURS = (3, 10, 15)
Probe = tuple[tuple[Decimal, ...], ...]


def range_made(origin: Origin, walk: RangeWalk) -> Made | None:
    """Return the card of a range and its files; None where no bar is followed by another one."""
    table = walk.final_table()
    if table is None or not walk.losses:
        return None
    modelled = [losses for losses in walk.losses if losses.model is not None]
    hour_to_flat = skill(_of(walk.losses, "hour"), _of(walk.losses, "flat"))
    model_to_hour = model_to_flat = None
    if modelled:
        model_to_hour = skill(_of(modelled, "model"), _of(modelled, "hour"))
        model_to_flat = skill(_of(modelled, "model"), _of(modelled, "flat"))
    verdict, why = range_verdict(len(origin.sessions), hour_to_flat, model_to_hour, model_to_flat)
    files = {TABLE_FILE: msgspec.json.encode(table)}
    probe = tuple(
        (Decimal(hour), *(decimal_of(move) for move in (table.flat if verdict == "flat" else table.moves(hour))))
        for hour in PROBED_HOURS
    )
    model = walk.final_model(table) if verdict == "model" else None
    if model is not None and walk.features is not None:
        files |= model.files()
        probe = _model_probe(walk.features, model, table)
    finding = Finding(
        target="range",
        features=FEATURES,
        horizon=RANGE_HORIZON,
        n=sum(losses.n for losses in walk.losses),
        losses=_range_losses(walk.losses, modelled),
        skills=_skills(("flat", hour_to_flat), ("hour", model_to_hour)),
        coverage={name: share_of(share) for name, share in walk.coverage[verdict].shares.items()},
        inside={name: share_of(share) for name, share in walk.coverage[verdict].inside.items()},
        verdict=verdict,
        why=why,
        probe=probe,
        with_model=walk.features is not None,
    )
    return made_of(origin, finding, files)


def tp_made(
    origin: Origin, rr: RrConfig, walk: TpWalk, labels: tuple[Labels, Labels], found: Sequence[Pointing]
) -> Made | None:
    """Return the card of a target at one rr and its files; None where no bar is followed by twelve without a gap.

    ``found`` are the phases of all bars.
    """
    modelled = [losses for losses in walk.losses if losses.model is not None]
    model_to_base = None
    if modelled:
        model_to_base = skill([losses.model or 0.0 for losses in modelled], [losses.base for losses in modelled])
    verdict, why = tp_verdict(len(origin.sessions), model_to_base)
    walk.finish()
    if not all(walk.rows):
        return None
    lifts = lifts_of(found, origin.sessions, *labels, walk.base_rates) if rr == MEASURED_RR else ()
    table = TpTable(features=TP_FEATURES, rr=rr, base_rates=walk.base_rates, rows=walk.rows, lifts=lifts)
    files = {TABLE_FILE: msgspec.json.encode(table)}
    probe: Probe = (tuple(share_of(share) for share in walk.base_rates),)
    forecasts, happened = walk.forecasts, walk.happened
    model = walk.final_model(walk.features) if verdict == "model" and walk.features is not None else None
    if model is not None and walk.features is not None:
        files |= model.files()
        probe = _side_probe(walk.features, model, walk.base_rates)
        forecasts, happened = walk.model_forecasts, walk.model_happened
    finding = Finding(
        target="tp_first",
        features=TP_FEATURES,
        horizon=BARRIER_HORIZON,
        rr=rr,
        n=sum(losses.n for losses in walk.losses),
        base_rate=_pooled(table),
        losses=_tp_losses(walk),
        skills=_skills(("base_rate", model_to_base)),
        coverage={},
        inside={},
        reliability=reliability(forecasts, happened),
        verdict=verdict,
        why=why,
        probe=probe,
        with_model=walk.features is not None,
    )
    return made_of(origin, finding, files)


def _of(losses: Sequence[Losses], method: Literal["flat", "hour", "model"]) -> list[float]:
    return [float(getattr(each, method) or 0.0) for each in losses]


def _range_losses(losses: Sequence[Losses], modelled: Sequence[Losses]) -> dict[str, Decimal]:
    """Return the mean losses; beside the model's are those of the same sessions, for it began later."""
    means = {"flat": _mean(losses, "flat"), "hour": _mean(losses, "hour")}
    if modelled:
        means["model"] = _mean(modelled, "model")
        means["flat_beside_model"] = _mean(modelled, "flat")
        means["hour_beside_model"] = _mean(modelled, "hour")
    return means


def _mean(losses: Sequence[Losses], method: Literal["flat", "hour", "model"]) -> Decimal:
    n = sum(each.n for each in losses)
    return decimal_of(sum(_of(losses, method)) / n) if n else Decimal(0)


def _tp_losses(walk: TpWalk) -> dict[str, Decimal]:
    means: dict[str, Decimal] = {}
    n = sum(losses.n for losses in walk.losses)
    if n:
        means["flat"] = decimal_of(sum(losses.base for losses in walk.losses) / n)
    modelled = [losses for losses in walk.losses if losses.model is not None]
    of_model = sum(losses.n for losses in modelled)
    if of_model:
        means["model"] = decimal_of(sum(losses.model or 0.0 for losses in modelled) / of_model)
        means["flat_beside_model"] = decimal_of(sum(losses.base for losses in modelled) / of_model)
    return means


def _pooled(table: TpTable) -> Decimal | None:
    n = sum(table.rows)
    won = sum(rate * rows for rate, rows in zip(table.base_rates, table.rows, strict=True))
    return share_of(won / n) if n else None


def _skills(*measured: tuple[Literal["flat", "hour", "base_rate"], Interval | None]) -> tuple[Skill, ...]:
    return tuple(
        Skill(against=against, value=share_of(own.value), low=share_of(own.low), high=share_of(own.high))
        for against, own in measured
        if own is not None
    )


def _probed_rows(features: FeatureRows) -> list[tuple[Decimal, ...]]:
    """Return the features of three bars, rounded as a card holds them."""
    places = features.places
    picked = [places[len(places) * part // 4] for part in (1, 2, 3)]
    return [tuple(decimal_of(value) for value in features.of(place)) for place in picked]


def _model_probe(features: FeatureRows, model: Boosted, table: RangeTable) -> Probe:
    rows = zip(PROBED_HOURS, _probed_rows(features), strict=True)
    return tuple(
        (
            Decimal(hour),
            *row,
            *(decimal_of(move) for move in model.moves(table.moves(hour), [float(value) for value in row])),
        )
        for hour, row in rows
    )


def _side_probe(features: FeatureRows, model: SideBoosted, bases: tuple[float, float]) -> Probe:
    return tuple(
        (
            *row,
            *(
                share_of(model.chances(side, base, [[float(value) for value in row]])[0])
                for side, base in enumerate(bases)
            ),
        )
        for row in _probed_rows(features)
    )
