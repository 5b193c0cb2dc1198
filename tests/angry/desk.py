"""The angry trader's desk: the real application, whose environment may be another one after each restart."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from routes.http.replies import AppServices
from services.live.activity import ActivityLog
from services.live.bridge_callers import BridgeCallers
from services.live.ticks import TickBook
from services.ops.config import Config
from tests.angry.market import FEES
from tests.lying.desk_app import SETTINGS, Clock, DeskApp, OwnThreadManager, shared_app

ENVIRONMENT = {
    **SETTINGS,
    "ASSETS": "ES,NQ,YM",
    "CANDLE_SECONDS": "20",
    "COOLDOWN_SECONDS": "10",
    "MAX_TRADES_PER_DAY": "500",
    **{f"COMMISSION_{product}": fee for product, fee in FEES.items()},
}


class AngryDesk(DeskApp):
    """One desk on one file. ``environ`` is the env file; ``restarts`` reads it again."""

    def __init__(self, clock: Clock, folder: Path) -> None:
        self.environ = dict(ENVIRONMENT)
        super().__init__(clock, folder)

    def _starts(self) -> None:
        app = shared_app()
        first: AppServices = app.extensions.setdefault("lying.first", app.extensions["lockstep"])
        config = Config.from_env({**self.environ, "SQLITE_PATH": str(self.path)})
        self.manager = OwnThreadManager(self.path, config, self.clock, self.ear)
        app.extensions["lockstep"] = replace(
            first,
            config=config,
            manager=self.manager,
            activity=ActivityLog(),
            bridge_callers=BridgeCallers(),
            ticks=TickBook(),
        )

    def opens(self) -> None:
        """Start the program after a start that the env file's settings prevented."""
        self._starts()
