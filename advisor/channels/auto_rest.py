"""Auto-trade at the agent's port (docs/reference/agent.md). Every call needs ``agent:trade``, or the service secret."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from advisor.agent.desk_reader import DeskReader
from advisor.auto.control import AutoControl
from advisor.auto.proposing import Proposer
from advisor.auto.store import AutoStore
from advisor.auto.trader import AutoTrader, Bars, Signals
from advisor.channels.agent_access import AgentAccess
from advisor.models.history import now_utc
from services.market.instruments import INSTRUMENTS
from sidecar.problems import JSON
from sidecar.queries import Parameters, known_symbol, read_body
from sidecar.web import WebClient
from wire.auto_trade import AutoTradeBody, ConfiguredAnswer, DecisionsAnswer
from wire.encoding import encode

BASE = "/api/v1/auto-trade"
USUAL_DECISIONS = 50
MOST_DECISIONS = 500
NEEDS = f"all of {', '.join(AutoTradeBody.__struct_fields__)}"


class AutoTradeService:
    """All of auto-trade: its file, its policy, its calls."""

    def __init__(self, path: Path, web: WebClient, ml: Signals, bars: Bars, access: AgentAccess) -> None:
        """Keep everything at `path`; nothing is decided before `run`."""
        self._store = AutoStore(path)
        desk = DeskReader(web)
        proposer = Proposer(web)
        self._trader = AutoTrader(self._store, bars, ml, desk, proposer, now_utc)
        control = AutoControl(self._store, self._trader, desk, proposer, now_utc)
        self._rest = AutoRest(control, access)

    def routes(self) -> list[Route]:
        """Return the calls."""
        return self._rest.routes()

    async def run(self) -> None:
        """Decide until the task is cancelled."""
        await self._trader.run()

    def close(self) -> None:
        """Close the file."""
        self._store.close()


class AutoRest:
    """Auto-trade for programs."""

    def __init__(self, control: AutoControl, access: AgentAccess) -> None:
        """Serve `control` to whom `access` admits."""
        self._control = control
        self._access = access

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route(f"{BASE}/config", self.configure, methods=["POST"]),
            Route(f"{BASE}/status", self.show_status, methods=["GET"]),
            Route(f"{BASE}/decisions", self.show_decisions, methods=["GET"]),
            Route(f"{BASE}/decisions/{{decision}}/confirm", self.confirm, methods=["POST"]),
            Route(f"{BASE}/decisions/{{decision}}/reject", self.reject, methods=["POST"]),
        ]

    async def configure(self, request: Request) -> Response:
        """Configure auto-trade. Raises `ServiceRefused`, as every call here."""
        arrival = self._control.arrival()
        await self._admit(request)
        Parameters(request)
        config = await self._control.configure(await read_body(request, AutoTradeBody, NEEDS), arrival)
        return answer(ConfiguredAnswer(status="configured", config=config))

    async def show_status(self, request: Request) -> Response:
        """Answer how auto-trade is."""
        await self._admit(request)
        Parameters(request)
        return answer(self._control.status())

    async def show_decisions(self, request: Request) -> Response:
        """Answer the newest decisions."""
        await self._admit(request)
        asked = Parameters(request, "limit", "symbol")
        limit = asked.whole("limit", USUAL_DECISIONS, 1, MOST_DECISIONS)
        symbol = known_symbol(asked.needed("symbol"), INSTRUMENTS) if asked.has("symbol") else None
        return answer(DecisionsAnswer(decisions=self._control.decisions(limit, symbol)))

    async def confirm(self, request: Request) -> Response:
        """Say yes to a decision. What a body says is not read: there is nothing to say but yes."""
        await self._admit(request)
        Parameters(request)
        return answer(await self._control.confirm(request.path_params["decision"]))

    async def reject(self, request: Request) -> Response:
        """Say no to a decision."""
        await self._admit(request)
        Parameters(request)
        return answer(self._control.reject(request.path_params["decision"]))

    async def _admit(self, request: Request) -> None:
        await self._access.admit(request, "agent:trade")


def answer(body: Struct) -> Response:
    """Return an answer."""
    return Response(encode(body), media_type=JSON, headers={"Cache-Control": "no-store"})
