"""The bricks around a closed trade and its fills, for the chart in the journal."""

from __future__ import annotations

from typing import Literal

from flask import Response
from msgspec import structs
from pydantic import BaseModel, ConfigDict, Field

from routes.http.describing import answers
from routes.http.errors import error_answer
from routes.http.guards import GuardedCalls
from routes.http.parsing import asks
from routes.http.replies import app_services, fresh, reply
from services.live.bricks import brick_view
from services.live.trade_bricks import bricks_around
from services.projections.trade_fills import are_whole, fills_of
from services.projections.trades import closed_trade
from services.views.rows import trade_facts
from wire.journal import FillRow, GapRow, TradeBricksAnswer
from wire.tradingview import STREAM_OF_SIZE, STREAM_POINTS

journal_bricks = GuardedCalls("journal_bricks", __name__, "journal_reader")

LONGEST_ID = 64


class SizeAsked(BaseModel):
    """The size of the bricks; the 1pt brick is not journaled."""

    model_config = ConfigDict(extra="forbid")

    size: Literal["2.5", "4", "6", "8", "12"] = Field("6", description="in points")


@journal_bricks.get("/api/journal/trades/<trade_id>/bricks")
@answers(TradeBricksAnswer, errors=(404, 503))
@asks(SizeAsked)
def show_trade_bricks(query: SizeAsked, trade_id: str) -> Response:
    """Return the bricks before, during and after a closed trade, oldest first, and the trade's fills.

    A trade with more than 540 bricks loses those in its middle; `gap` says where they are missing.
    """
    services = app_services()
    closed = closed_trade(services.manager.store, trade_id[:LONGEST_ID])
    if closed is None:
        return error_answer(f"trade {trade_id[:LONGEST_ID]} is not known, or has not closed yet", 404, "not_found")
    trade = closed.trade
    stream = STREAM_OF_SIZE[query.size]
    point = trade_facts(trade)["point_size"]
    found = bricks_around(trade, stream, services.manager.store, services.bricks)
    fills = fills_of(services.manager.store, trade.id)
    body = TradeBricksAnswer(
        trade_id=trade.id,
        asset=trade.asset,
        size=STREAM_POINTS[stream],
        point_size=point,
        bricks=tuple(brick_view(brick, stream, point) for brick in found.bricks),
        between=found.between,
        gap=None if found.gap is None else GapRow(**structs.asdict(found.gap)),
        absence=found.absence,
        fills=tuple(FillRow(at=one.at, **structs.asdict(one.fill)) for one in fills),
        fills_are_whole=are_whole(fills, trade),
    )
    return fresh(reply(body))
