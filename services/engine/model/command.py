"""The base of all commands."""

from __future__ import annotations

from typing import ClassVar, Literal

from services.engine.model.tagged import Tagged

Origin = Literal["tradingview", "operator", "bridge", "clock", "house", "service"]
"""Stored. ``house`` is the app itself, ``service`` a program that proposes entries."""


class Command(Tagged, frozen=True, omit_defaults=True):
    """The base of all commands. ``origin`` names the sender."""

    origin: ClassVar[Origin] = "house"
