"""The gate before real money: a desk that is LIVE now, and a setting that says so."""

from __future__ import annotations

from advisor.agent.desk_reader import DeskReader
from sidecar.problems import RETRY_SECONDS, ServiceRefused
from sidecar.web import DeskAway


class RealGate:
    """Asks each time anew: an answer of before does not count."""

    def __init__(self, desk: DeskReader, *, is_allowed: bool) -> None:
        """Read `desk`; `is_allowed` is ``MT4_ALLOW_REAL``."""
        self._desk = desk
        self._is_allowed = is_allowed

    async def __call__(self) -> None:
        """Raise `ServiceRefused` unless an account with real money may be used: 409, or 503 while nobody knows."""
        if not self._is_allowed:
            raise ServiceRefused(
                "real_account", "real money is not allowed: MT4_ALLOW_REAL is not 1", reason="not_allowed"
            )
        try:
            state = await self._desk.state()
        except DeskAway as error:
            raise ServiceRefused(
                "web_away", "the desk does not answer: nobody knows whether it is LIVE", RETRY_SECONDS
            ) from error
        if state.desk.env != "LIVE" or state.desk.store != "up" or state.desk.role != "writer":
            raise ServiceRefused("real_account", "real money needs a desk that is LIVE", reason="not_live")
