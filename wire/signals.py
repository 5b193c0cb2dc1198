"""``STRATEGY_SIGNAL``, the only message of the engine socket (``WS :52000/connect``): the position changed.

The first ten fields are the contract's (docs/reference/contracts/engine-signals.md), ``contract``, ``id`` and ``ts``
are Lockstep's.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Struct

from wire.types import AwareTime, Price, Side, says

SignalOrderType = Literal["Market", "Stop"]
TradeType = Literal["live", "paper"]


class StrategySignal(Struct, frozen=True, kw_only=True, rename="camel", tag_field="type", tag="STRATEGY_SIGNAL"):
    """One change of the position, told once."""

    action: Annotated[Side, says("what was done: contracts bought or sold")]
    price: Annotated[Price | None, says("average of the fills of this change; null when unknown")]
    amount: Annotated[int, says("contracts")]
    size_type: Annotated[Literal["contracts"], says("the unit of `amount`")] = "contracts"
    order_type: Annotated[SignalOrderType, says("Stop: a stop that rested at the broker")]
    symbol: Annotated[str, says("the operator's symbol, such as ES")]
    strategy_name: Annotated[str, says("`lockstep.` and what asked for it: `entry`, `manual`, an exit rule, ...")]
    trade_type: Annotated[TradeType, says("live: orders of the environment LIVE")]
    status: Literal["EXECUTED"] = "EXECUTED"
    contract: Annotated[str, says("the broker's symbol, such as MESZ6")]
    id: Annotated[int, says("strictly growing; a client drops an id that it has seen")]
    ts: Annotated[AwareTime, says("when the desk recorded the last of these fills")]
