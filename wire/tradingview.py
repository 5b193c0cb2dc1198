"""What an alert of TradingView says, as the tape writes it (SPEC 3). Real alerts carry fields of their own as well."""

from __future__ import annotations

from decimal import Decimal

import msgspec
from msgspec import Struct

from wire.types import Color, Price


class PriceAlert(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Body of ``POST /tv_heartbeat``: a price, and when it was; ``source`` names a market that is not real."""

    secret: str
    symbol: str
    price: Price
    timestamp: str
    source: str | None = None


class BrickAlert(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Body of a brick's webhook: one closed brick. The path names its size, ``bar_id`` tells it from all others."""

    secret: str
    asset: str
    color: Color
    bar_id: str
    bar_ts: str
    close: Decimal
    source: str | None = None


encode = msgspec.json.Encoder(decimal_format="number").encode
