"""The gates that ask what is known of broker, account and bridge (SPEC 4: reconcile, account, bridge)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType

from services.engine.model.evidence import ForeignPosition
from services.engine.model.state import Asset, Desk
from services.engine.model.times import is_younger
from services.engine.rules.resting_stops import lacks_stop
from services.engine.rules.store_doubt import open_store_doubt
from services.engine.rules.verdicts import OPEN, EntryRequest, Verdict, closed
from wire.types import DoubtCode, Instant


def positions_agree(desk: Desk, entry: EntryRequest, now: Instant) -> Verdict:
    """Close while broker and desk disagree on the position, or may disagree (SPEC 4, 8.1, 8.4)."""
    broker = _contradicted_by(desk, entry.asset)
    if broker is not None:
        desk_holds = entry.asset.position
        detail = f"the broker holds {broker}, the desk {desk_holds}"
        return closed("position_mismatch", detail, broker_position=broker, position=desk_holds)
    lost = next((order for order in desk.open_orders(entry.asset.symbol) if order.fate_unknown_at is not None), None)
    if lost is not None:
        detail = f"nobody knows what became of the {lost.kind} {lost.side} {lost.qty} {lost.contract.symbol}"
        return closed("fate_unknown", detail, order_id=lost.id)
    foreign = next((held for held in desk.foreign if _closes(held, desk, entry.asset)), None)
    if foreign is not None:
        detail = f"the broker holds {foreign.position} {foreign.symbol}, which the desk does not trade"
        return closed("foreign_position", detail, symbol=foreign.symbol, position=foreign.position)
    return _doubted(entry.asset, now)


def _contradicted_by(desk: Desk, asset: Asset) -> int | None:
    """Return the broker's position when it is not the desk's, None when nothing says so.

    While a bridge holds an order a snapshot that differs proves nothing. When that order has ended without the fill
    that would explain the difference, the snapshot counts.
    """
    if asset.disagreement is not None:
        return asset.disagreement.broker_position
    read = asset.live.streak
    if read is None or read.position == asset.position:
        return None
    is_in_flight = any(order.is_at_a_bridge for order in desk.open_orders(asset.symbol))
    return None if is_in_flight else read.position


def _closes(held: ForeignPosition, desk: Desk, asset: Asset) -> bool:
    """Return whether a foreign position closes the asset's gate: one of its roots, or of a symbol nobody knows."""
    is_void = held.accepted or (held.expired and desk.env == "DEMO")
    return not is_void and held.asset in (None, asset.symbol)


DOUBTS: Mapping[DoubtCode, str] = MappingProxyType(
    {
        "fate_ended": "an order ended without a report of its bridge",
        "resolved": "an order was resolved by hand; a snapshot of the broker must agree",
        "late_fill": "a fill came after its order had ended; a snapshot of the broker must agree",
        "wrong_symbol": "a report named another contract than its order; a snapshot of the broker must agree",
        "wrong_side": "a report named another side than its order; a snapshot of the broker must agree",
        "contradicted": "a report contradicts the end of its order; a snapshot of the broker must agree",
        "broker_fill": "something was filled at the broker without an order; a snapshot of the broker must agree",
        "repeated_fill": "a fill without a name was reported twice; a snapshot of the broker must agree",
        "unpriced_fill": "a fill came without a price; a snapshot of the broker must agree",
    }
)


def _doubted(asset: Asset, now: Instant) -> Verdict:
    doubt = asset.doubt
    if doubt is None or (doubt.until is not None and now >= doubt.until):
        return OPEN
    return closed("position_doubtful", DOUBTS[doubt.code], doubt.until, doubt=doubt.code)


BALANCE_MAX_AGE_SECONDS = 60


def balance_is_believed(desk: Desk, entry: EntryRequest, now: Instant) -> Verdict:
    """Close while the account's balance is suspect; in LIVE also while it is unknown or older than 60 s.

    In LIVE it is closed, too, while another store was opened today for this account and nobody has confirmed this one.

    Generation 1 believed every balance and asked for none.
    """
    if desk.generation == 1:
        return OPEN
    doubt = open_store_doubt(desk)
    if doubt is not None and desk.env == "LIVE":
        return closed("store_doubtful", doubt.detail, store_code=doubt.code, about=doubt.about)
    suspicion = desk.live.beliefs.suspicion
    if suspicion is not None and suspicion.code == "other_account":
        account = suspicion.reading.account
        return closed("other_account", f"the bridge tells the balance of {account}", account=account)
    if suspicion is not None:
        rest = suspicion.unexplained
        detail = f"{rest:+.2f} USD of it are unexplained"
        return closed("balance_suspect", detail, unexplained=rest, balance=suspicion.reading.balance)
    believed = desk.live.beliefs.believed
    at = None if believed is None else believed.at
    if desk.env == "DEMO" or is_younger(at, BALANCE_MAX_AGE_SECONDS, now):
        return OPEN
    detail = f"no balance of this account within {BALANCE_MAX_AGE_SECONDS} s"
    return closed("balance_unknown", detail, max_age_seconds=BALANCE_MAX_AGE_SECONDS, heard_at=at)


def bridge_is_connected(desk: Desk, entry: EntryRequest, now: Instant) -> Verdict:
    """Close in LIVE when the bridge is silent for 30 s, not connected to the broker, or not fit for LIVE (SPEC 8.5).

    Generation 1 did not ask whether the bridge is fit.
    """
    if desk.env == "DEMO":
        return OPEN
    heard_at = desk.live.bridge_heartbeat_at
    max_age = desk.rules.bridge_max_age_seconds
    if not is_younger(heard_at, max_age, now):
        detail = f"no bridge heartbeat within {max_age} s"
        return closed("bridge_silent", detail, max_age_seconds=max_age, heard_at=heard_at)
    if not desk.live.ts_connected:
        return closed("bridge_offline", "not connected to the broker")
    return OPEN if desk.generation == 1 else _bridge_is_fit(desk, now)


STOP_RESTS_WITHIN = timedelta(seconds=5)


def _bridge_is_fit(desk: Desk, now: Instant) -> Verdict:
    """Close when the bridge does not execute LIVE, refuses entries, or names no stop for a position."""
    live = desk.live
    if live.envs is None and not desk.rules.old_bridge_live:
        return closed("bridge_without_live", "the bridge does not say that it executes LIVE (OLD_BRIDGE_LIVE=yes)")
    if live.envs is not None and "LIVE" not in live.envs:
        envs = ", ".join(live.envs) or "nothing"
        return closed("bridge_without_live", f"the bridge executes {envs}", envs=envs)
    if live.kill_switch:
        return closed("kill_switch", "the bridge refuses entries until its switch is off")
    bare = next((asset for asset in desk.assets.values() if lacks_stop(desk, asset, now)), None)
    if bare is None:
        return OPEN
    detail = f"the bridge names no stop for the position in {bare.symbol}"
    return closed("stop_missing", detail, asset=bare.symbol, position=bare.position)
