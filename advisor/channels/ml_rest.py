"""The calls of the ML engine (ml-engine.md)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from advisor.channels.ml_keys import MlKeys
from advisor.channels.ml_requests import (
    USUAL_RR,
    USUAL_TIMEFRAME,
    names_in,
    rr_named,
    symbol_named,
    timeframe_named,
)
from advisor.models.engine import LONGEST_LOOKBACK, SHORTEST_LOOKBACK, USUAL_LOOKBACK, MlEngine
from sidecar.problems import JSON
from sidecar.queries import Parameters, read_body
from sidecar.use import Use
from wire.encoding import encode
from wire.ml_engine import (
    ActiveSignals,
    AmdAnswer,
    MlHealth,
    MlRequest,
    ModelsAnswer,
    RangeBands,
    RangePrediction,
    SignalResponse,
)

NEEDS = "an object with symbol and timeframe"
View = Callable[[Request], Awaitable[Any]]


class MlRest:
    """Answers calls from `engine`."""

    def __init__(self, engine: MlEngine, keys: MlKeys, use: Use) -> None:
        """Ask `keys` who may read, where that is asked."""
        self._engine = engine
        self._keys = keys
        self._use = use

    def routes(self) -> list[Route]:
        """Return the routes."""
        rows: tuple[tuple[str, str, View], ...] = (
            ("GET", "/api/signals/active", self.show_active),
            ("POST", "/generate/signal", self.show_signal),
            ("POST", "/api/amd/{symbol:path}", self.show_phase),
            ("POST", "/predict/range", self.show_prediction),
            ("GET", "/api/range/{symbol:path}", self.show_bands),
            ("GET", "/models", self.show_models),
        )
        health = Route("/health", self._answering(self.show_health), methods=["GET"])
        return [health, *(Route(path, self._keyed(view), methods=[method]) for method, path, view in rows)]

    def _keyed(self, view: View) -> Callable[[Request], Awaitable[Response]]:
        async def let_in(request: Request) -> Any:
            await self._keys.let_read(request)
            return await view(request)

        return self._answering(let_in)

    def _answering(self, view: View) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            body = encode(await view(request))
            self._use.note_sent()
            return Response(body, media_type=JSON, headers={"Cache-Control": "no-store"})

        return answer

    # -- calls --------------------------------------------------------------------------------------------------

    async def show_health(self, request: Request) -> MlHealth:
        """Return how the ML engine is."""
        Parameters(request)
        return self._engine.health()

    async def show_active(self, request: Request) -> ActiveSignals:
        """Return the signals that a proven model stands behind, and why there are no others."""
        asked = Parameters(request, "symbols", "timeframe", "rr_config")
        names = names_in(asked.text("symbols", ""))
        timeframe = timeframe_named(asked.text("timeframe", USUAL_TIMEFRAME))
        return await self._engine.active(names, timeframe, rr_named(asked.text("rr_config", USUAL_RR)))

    async def show_signal(self, request: Request) -> SignalResponse:
        """Return what would be the better trade of a symbol by the numbers, proven or not."""
        asked = Parameters(request, "rr_config")
        rr = rr_named(asked.text("rr_config", USUAL_RR))
        body = await read_body(request, MlRequest, NEEDS)
        return await self._engine.signal(symbol_named(body.symbol), timeframe_named(body.timeframe), rr)

    async def show_phase(self, request: Request) -> AmdAnswer:
        """Return the phase that a symbol is in."""
        asked = Parameters(request, "timeframe", "lookback_periods")
        timeframe = timeframe_named(asked.text("timeframe", USUAL_TIMEFRAME))
        lookback = asked.whole("lookback_periods", USUAL_LOOKBACK, SHORTEST_LOOKBACK, LONGEST_LOOKBACK)
        return await self._engine.amd(symbol_named(request.path_params["symbol"]), timeframe, lookback)

    async def show_prediction(self, request: Request) -> list[RangePrediction]:
        """Return the range of the next bar, as an array of one."""
        Parameters(request)
        body = await read_body(request, MlRequest, NEEDS)
        return [await self._engine.prediction(symbol_named(body.symbol), timeframe_named(body.timeframe))]

    async def show_bands(self, request: Request) -> RangeBands:
        """Return the usual range of the next bar, as prices."""
        asked = Parameters(request, "timeframe")
        timeframe = timeframe_named(asked.text("timeframe", USUAL_TIMEFRAME))
        return await self._engine.bands(symbol_named(request.path_params["symbol"]), timeframe)

    async def show_models(self, request: Request) -> ModelsAnswer:
        """Return every card."""
        Parameters(request)
        return ModelsAnswer(models=await self._engine.cards())
