"""What is served: the simplest method that no proven better one replaces.

One verdict for each symbol and timeframe, on one loss: four separate looks at two sides and two quantiles would let
chance in.
"""

from __future__ import annotations

from advisor.ml.bootstrap import Interval
from wire.ml_engine import Verdict

LEAST_MODEL_SESSIONS = 60
LEAST_MODEL_SKILL = 0.01


def range_verdict(
    sessions: int, hour_to_flat: Interval, model_to_hour: Interval | None, model_to_flat: Interval | None
) -> tuple[Verdict, str]:
    """Return what is served of a range, and why as a sentence."""
    hours = f"the loss of hours is {_percent(hour_to_flat)} smaller than that of flat"
    if model_to_hour is not None and model_to_flat is not None:
        model = f"the loss of the model is {_percent(model_to_hour)} smaller than that of hours"
        is_better = model_to_hour.is_above_zero and model_to_flat.is_above_zero
        if is_better and model_to_hour.value >= LEAST_MODEL_SKILL and sessions >= LEAST_MODEL_SESSIONS:
            return "model", f"{model}, in {sessions} sessions"
        hours = f"{hours}; {model}, which does not suffice"
    elif sessions < LEAST_MODEL_SESSIONS:
        hours = f"{hours}; a model is tried from {LEAST_MODEL_SESSIONS} sessions on, there are {sessions}"
    else:
        hours = f"{hours}; no model was tried"
    return ("hour" if hour_to_flat.is_above_zero else "flat"), hours


def tp_verdict(sessions: int, model_to_base: Interval | None) -> tuple[Verdict, str]:
    """Return what is served of targets: ``model`` with proven skill, else ``flat``, the share of all bars."""
    if model_to_base is None:
        if sessions < LEAST_MODEL_SESSIONS:
            return "flat", f"a model is tried from {LEAST_MODEL_SESSIONS} sessions on, there are {sessions}"
        return "flat", "no model was tried"
    skill = f"the Brier loss of the model is {_percent(model_to_base)} smaller than that of the base rate"
    if model_to_base.is_above_zero and sessions >= LEAST_MODEL_SESSIONS:
        return "model", f"{skill}, in {sessions} sessions"
    return "flat", f"{skill}, which does not suffice"


def _percent(skill: Interval) -> str:
    return f"{skill.value * 100:.1f} % [{skill.low * 100:.1f}, {skill.high * 100:.1f}]"
