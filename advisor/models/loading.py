"""From the files of a model to the model."""

from __future__ import annotations

from typing import get_args

from advisor.ml.forecast import ModelUnreadable, RangeModel
from advisor.ml.signals import TP_FEATURES, TpModel
from advisor.ml.table import FEATURES
from advisor.models.files import Reason, Stored
from wire.ml_engine import ModelCard

Model = RangeModel | TpModel
REASONS: tuple[Reason, ...] = get_args(Reason)


def model_of(stored: Stored) -> Model:
    """Return the model. Raises `ModelUnreadable`."""
    if stored.card.target == "range":
        return RangeModel.from_files(stored.card, stored.files)
    return TpModel.from_files(stored.card, stored.files)


def features_of(card: ModelCard) -> str:
    """Return the version of the features that this program gives to such a model."""
    return FEATURES if card.target == "range" else TP_FEATURES


def reason_of(error: ModelUnreadable) -> Reason:
    """Return the code of a model that cannot be loaded."""
    return next((reason for reason in REASONS if reason == error.reason), "unreadable")
