"""The last bricks of an asset and size, for charts."""

from __future__ import annotations

from typing import Annotated, Literal

from flask import Response
from pydantic import AfterValidator, BaseModel, Field

from routes.http.describing import answers
from routes.http.errors import InvalidRequest
from routes.http.guards import guarded_by
from routes.http.parsing import AskedNumber, Symbol, asks
from routes.http.replies import app_services, fresh, reply
from routes.readers import reader_calls
from services.live.bricks import BRICKS_KEPT, brick_view
from wire.answers import BricksAnswer
from wire.tradingview import STREAM_OF_SIZE, STREAM_POINTS

bricks = reader_calls("bricks", __name__)

USUAL_LIMIT = 500


class BricksQuery(BaseModel):
    """Asset, size and number of the bricks."""

    asset: Annotated[Symbol, AfterValidator(str.upper), Field(examples=["ES"])]
    size: Literal["1", "2.5", "4", "6", "8", "12"] = Field(description="in points")
    limit: Annotated[AskedNumber, Field(ge=1, le=BRICKS_KEPT)] = USUAL_LIMIT


@bricks.get("/api/bricks")
@guarded_by("bricks_reader")
@answers(BricksAnswer)
@asks(BricksQuery)
def show_bricks(query: BricksQuery) -> Response:
    """Return the newest bricks of a series, oldest first; the stream's `brick` events continue it.

    `n` grows by one with each brick until this process ends; a jump in the stream means that bricks were missed.
    While `complete` is false, older bricks are still being read: ask again.
    """
    services = app_services()
    snapshot = services.manager.snapshot
    asset = snapshot.desk.assets.get(query.asset)
    if asset is None:
        raise InvalidRequest("asset", f"the desk does not trade {query.asset!r:.60}", code="unknown_asset")
    stream = STREAM_OF_SIZE[query.size]
    complete = services.bricks.is_whole
    found = services.bricks.last(query.asset, stream, query.limit)
    body = BricksAnswer(
        version=snapshot.version,
        asset=query.asset,
        size=STREAM_POINTS[stream],
        complete=complete,
        bricks=tuple([brick_view(brick, stream, asset.contract.point) for brick in found]),
    )
    return fresh(reply(body))
