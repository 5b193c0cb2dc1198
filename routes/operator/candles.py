"""Candles for the page's charts. Feeds keeps them; web only asks."""

from __future__ import annotations

from typing import Annotated

from flask import Response
from pydantic import AfterValidator, BaseModel, Field

from routes.http.describing import answers
from routes.http.errors import Busy, InvalidRequest
from routes.http.parsing import AskedNumber, Moment, Symbol, asks
from routes.http.replies import app_services, fresh, reply
from routes.operator import operator_calls
from services.ops.feeds_candles import CandlesAsked, NoCandles, TooManyAsk
from wire.candles import CANDLES_PATH, LONGEST_PAGE, USUAL_PAGE, CandleTimeframe, StoredCandles

candles = operator_calls("candles", __name__)

ASK_AGAIN_SECONDS = 5
PLACES_FREE_IN_SECONDS = 1


class CandlesQuery(BaseModel):
    """Asset, timeframe and page of the candles."""

    asset: Annotated[Symbol, AfterValidator(str.upper), Field(examples=["ES"])]
    timeframe: CandleTimeframe
    before: Moment | None = Field(None, description="candles that begin before; left out: the newest")
    limit: Annotated[AskedNumber, Field(ge=1, le=LONGEST_PAGE)] = USUAL_PAGE


@candles.get(CANDLES_PATH)
@answers(StoredCandles, errors=(503,))
@asks(CandlesQuery)
def show_candles(query: CandlesQuery) -> Response:
    """Return stored candles of an asset, oldest first: of the simulated market while its price is simulated.

    Feeds keeps them and is asked within 2 s; while it is away the answer is 503, `feeds_away`. A period without a
    price has no candle.
    """
    services = app_services()
    asset = services.manager.snapshot.desk.assets.get(query.asset)
    if asset is None:
        raise InvalidRequest("asset", f"the desk does not trade {query.asset!r:.60}", code="unknown_asset")
    asked = CandlesAsked(query.asset, query.timeframe, query.before, query.limit, asset.live.is_simulated)
    try:
        return fresh(reply(services.candles.page(asked)))
    except NoCandles as error:
        raise Busy(str(error), ASK_AGAIN_SECONDS, "feeds_away", detail=str(error)) from error
    except TooManyAsk as error:
        raise Busy("too many pages of candles are asked for at once", PLACES_FREE_IN_SECONDS, "too_busy") from error
