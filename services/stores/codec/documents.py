"""The stored form of the desk, commands and events: JSON documents with a schema number (SPEC 9).

The document ``_global`` holds the desk without its assets and orders. Each asset and each order has its own document.
Old documents are upgraded one numbered step at a time when they are read.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from services.engine.model.commands import AnyCommand
from services.engine.model.events import AnyEvent
from services.engine.model.order import Order
from services.engine.model.replies import Refusal, Reply
from services.engine.model.settings import Rules
from services.engine.model.state import Asset, AssetLive, Desk, DeskLive
from services.engine.model.times import candle_end
from services.engine.model.trade_events import TradeClosed
from services.stores.store import Stored, StoreUnreadable

SCHEMA = 3
GLOBAL = "_global"

_encode = msgspec.json.Encoder().encode
_commands: msgspec.json.Decoder[AnyCommand] = msgspec.json.Decoder(AnyCommand)
_events = msgspec.json.Decoder(tuple[AnyEvent, ...])
_event: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)
_answers: msgspec.json.Decoder[Reply | Refusal] = msgspec.json.Decoder(Reply | Refusal)
_orders = msgspec.json.Decoder(Order)
_trades = msgspec.json.Decoder(TradeClosed)


class GlobalDocument(Struct, frozen=True):
    schema: int
    desk: Desk


class AssetDocument(Struct, frozen=True):
    schema: int
    asset: Asset


class Observed(Struct, frozen=True, omit_defaults=True):
    """Prices and ages that changed since the last journal row. Replay puts them on the desk before it decides."""

    desk: DeskLive | None = None
    assets: dict[str, AssetLive] = field(default_factory=dict)


_observed = msgspec.json.Decoder(Observed)


def desk_documents(desk: Desk, committed: Desk | None = None) -> dict[str, bytes]:
    """Return the documents that differ from the committed desk. ``_global`` is always among them."""
    documents = {GLOBAL: _encode(GlobalDocument(SCHEMA, replace(desk, assets={}, orders={})))}
    for symbol, asset in desk.assets.items():
        if committed is None or committed.assets.get(symbol) is not asset:
            documents[symbol] = _encode(AssetDocument(SCHEMA, _storable(asset)))
    return documents


def _storable(asset: Asset) -> Asset:
    return replace(asset, live=_storable_live(asset.live))


def _storable_live(live: AssetLive) -> AssetLive:
    """Leave out the digests of the 1pt bricks, because these bricks are not stored one by one (SPEC 3)."""
    one = live.one
    if not one.applied and (one.bar is None or not one.bar.closed):
        return live
    bar = replace(one.bar, closed={}) if one.bar is not None else None
    return replace(live, one=replace(one, applied=(), bar=bar))


def read_desk(stored: Stored) -> Desk:
    """Build the desk from its documents. Raises StoreUnreadable when a document cannot be read."""
    try:
        desk = msgspec.json.decode(upgraded(stored.documents[GLOBAL]), type=GlobalDocument).desk
        wanted = {name: body for name, body in stored.documents.items() if name != GLOBAL}
        assets = {name: msgspec.json.decode(upgraded(body), type=AssetDocument).asset for name, body in wanted.items()}
        orders = [_orders.decode(body) for body in stored.open_orders]
    except (msgspec.MsgspecError, KeyError) as error:
        raise StoreUnreadable(f"the stored desk could not be read: {error}") from error
    assets = _in_order_of_settings(assets, desk.configured)
    return replace(desk, assets=assets, orders={order.id: order for order in orders})


def _in_order_of_settings(assets: dict[str, Asset], configured: Rules) -> dict[str, Asset]:
    """Return the assets in the order that ``ConfigureDesk`` gave them: no longer listed ones come first.

    A store returns documents by name. The order must be the same after a restart as in a replay, because it is the
    order of the events of one decision.
    """
    listed = {symbol: assets[symbol] for symbol in configured.contracts if symbol in assets}
    unlisted = {symbol: asset for symbol, asset in assets.items() if symbol not in listed}
    return {**unlisted, **listed}


def is_outdated(stored: Stored) -> bool:
    """Return whether any stored document has an earlier schema. A copy is made before such documents are rewritten."""
    return any(msgspec.json.decode(body, type=_Schema).schema < SCHEMA for body in stored.documents.values())


def upgraded(body: bytes) -> bytes:
    """Upgrade a stored document to the newest schema. Raises StoreUnreadable for a newer one.

    The first decode reads only the schema. Most documents are current, and their body is returned unchanged.
    """
    schema = msgspec.json.decode(body, type=_Schema).schema
    if not 1 <= schema <= SCHEMA:
        raise StoreUnreadable(f"a stored document has schema {schema}, this program knows 1 to {SCHEMA}")
    document: Any = msgspec.json.decode(body)  # untyped: the old form does not fit today's types
    for step in UPGRADES[schema - 1 :]:
        document = step(document)
    return _encode(document) if schema < SCHEMA else body


class _Schema(Struct):
    schema: int


def _add_wanted_rules(document: Any) -> Any:
    """Upgrade to schema 2: add ``wanted`` and ``configured`` rules, and the end of the candle lock."""
    if "desk" in document:
        rules = document["desk"]["rules"]
        document["desk"] |= {"wanted": rules, "configured": rules, "locks": _with_candle_end(document["desk"])}
    return {**document, "schema": 2}


def _with_candle_end(desk: Any) -> Any:
    locks = desk.get("locks", {})
    if locks.get("candle_used") is None:
        return locks
    used = datetime.fromisoformat(locks["candle_used"])
    return {**locks, "candle_until": candle_end(used, desk["rules"]["candle_seconds"]).isoformat()}


def _nest_protections(document: Any) -> Any:
    """Upgrade to schema 3: nest a trade's protections under ``trade.protections``; alerts may have facts."""
    trade = document.get("asset", {}).get("trade")
    if isinstance(trade, dict):
        nested = {name: value for name, value in trade.items() if name in PROTECTIONS_UNTIL_3}
        rest = {name: value for name, value in trade.items() if name not in PROTECTIONS_UNTIL_3}
        document["asset"]["trade"] = {**rest, "protections": nested}
    return {**document, "schema": 3}


PROTECTIONS_UNTIL_3 = (  # the names of that time: they stay here even when a field is renamed
    *("points_tp_enabled", "points_tp_target", "protect_enabled", "protect_threshold_points"),
    *("tp_armed", "tp_target", "tp_count", "stop_points"),
    *("high_next_bar_exit_enabled", "main_flip_exit_enabled", "four_pt_invalidation_enabled"),
)
UPGRADES = (  # the step at index n brings a document from schema n + 1 to n + 2
    _add_wanted_rules,
    _nest_protections,
)


def observations(desk: Desk, seen: Desk) -> Observed | None:
    """Return the prices and ages of ``desk`` that differ from ``seen``, None without a difference."""
    assets = {
        symbol: _storable_live(asset.live)
        for symbol, asset in desk.assets.items()
        if symbol not in seen.assets or seen.assets[symbol].live is not asset.live
    }
    live = desk.live if desk.live is not seen.live else None
    return Observed(live, assets) if assets or live else None


def with_observations(desk: Desk, observed: Observed) -> Desk:
    """Put the recorded prices and ages on the desk, as the writer saw them before it decided."""
    assets = dict(desk.assets)
    for symbol, live in observed.assets.items():
        if symbol in assets:
            assets[symbol] = replace(assets[symbol], live=live)
    return replace(desk, assets=assets, live=observed.desk or desk.live)


def write_command(command: AnyCommand) -> bytes:
    return _encode(command)


def read_command(body: bytes) -> AnyCommand:
    return _commands.decode(body)


def write_events(events: Iterable[AnyEvent]) -> bytes:
    return _encode(tuple(events))


def read_events(body: bytes) -> tuple[AnyEvent, ...]:
    return _events.decode(body)


def write_event(event: AnyEvent) -> bytes:
    return _encode(event)


def read_event(body: bytes) -> AnyEvent:
    return _event.decode(body)


def write_answer(answer: Reply | Refusal) -> bytes:
    return _encode(answer)


def read_answer(body: bytes) -> Reply | Refusal:
    return _answers.decode(body)


def write_order(order: Order) -> bytes:
    return _encode(order)


def read_order(body: bytes) -> Order:
    return _orders.decode(body)


def write_trade(trade: TradeClosed) -> bytes:
    return _encode(trade)


def read_trade(body: bytes) -> TradeClosed:
    """Read a closed trade. Raises StoreUnreadable."""
    try:
        return _trades.decode(body)
    except msgspec.MsgspecError as error:
        raise StoreUnreadable(f"a stored trade could not be read: {error}") from error


def write_observed(observed: Observed) -> bytes:
    return _encode(observed)


def read_observed(body: bytes) -> Observed:
    return _observed.decode(body)
