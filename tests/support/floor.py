"""A running desk that tests bring into the state they need: flat, ready for an entry, in a trade."""

from typing import Any

from tests.support.desk_process import DeskProcess, eventually

ENTRY_PRICE = 5250.25


class Floor:
    """One desk with ``QUICK`` settings, and its callers."""

    def __init__(self, desk: DeskProcess) -> None:
        self.desk = desk
        self.operator, self.bridge, self.alerts = desk.operator(), desk.bridge(), desk.tradingview()

    def flat(self) -> "Floor":
        """Exit every trade, cancel pending entries, switch to DEMO."""
        for asset in ("ES", "NQ"):
            self.operator.post("/api/intent/cancel", json={"asset": asset})
            self.operator.post("/api/preorder/cancel", json={"asset": asset})
        eventually(self._leaves)
        self.operator.post("/api/env", json={"env": "DEMO"})
        return self

    def _leaves(self) -> bool:
        self.operator.post("/api/exit-all", json={"force": True})
        self.bridge.claims()
        for order in self.operator.state()["orders"]:  # claimed before, too: no order is handed out twice
            self.bridge.reports(order["id"], "FILLED", fill_price=ENTRY_PRICE, qty=order["qty"])
        state = self.operator.state()
        return not state["orders"] and not any(asset["position"] for asset in state["assets"].values())

    def ready(self, color: str = "green") -> "Floor":
        """Make the desk flat, with every gate open for ES."""
        self.flat()
        self.alerts.opens_the_ladder(color=color)
        eventually(lambda: not self.operator.state()["global"]["five_min_trade_lock_active"])
        return self

    def in_a_trade(self, *, managed: bool = True, seasoned: bool = False, **entry: Any) -> "Floor":
        """Be long 5 ES at 5250.25. ``managed``: a 2.5pt brick unlocked it; ``seasoned``: price and bricks followed."""
        self.ready()
        order = self.operator.enters_when_the_candle_allows(**entry)
        assert self.bridge.fills(order, ENTRY_PRICE).status_code == 200
        self.alerts.brick(2.5, "red" if managed else "green")
        if seasoned:
            self.alerts.heartbeat(ENTRY_PRICE)
            self.alerts.brick(6, "green")
            self.alerts.brick(8, "green")
        return self

    def asset(self) -> dict[str, Any]:
        return self.operator.asset()
