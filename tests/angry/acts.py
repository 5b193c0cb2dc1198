"""What an angry trader does: one table of acts with how often each is chosen. None of them needs to make sense.

The trader has the dashboard, the API, TradingView's secret and the env file. It has neither the bridge's secret nor
the broker's own platform: what is traded there is outside the promise.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from services.engine.model.settings import RULE_SETTINGS
from tests.angry.desk import ENVIRONMENT
from tests.angry.market import unit_of
from tests.lying.desk_app import SETTINGS
from tests.lying.world import WEBHOOKS

if TYPE_CHECKING:
    from tests.angry.world import AngryWorld

SECRET = {"secret": SETTINGS["TV_WEBHOOK_SECRET"]}
SIDES = {"green": "BUY", "red": "SELL"}
VARIABLES: dict[str, tuple[str, ...]] = {  # what a restart may bring; and what it had before
    "CONTRACT_SIZE": ("micro", "full"),
    "ASSETS": ("ES,NQ,YM", "ES", "ES,NQ,YM,RTY", "ES,NQ,YM,RTY,EURUSD"),
    "CONTRACTS": ("", "ES=ESZ6", "NQ=NQZ6", "ES=MESH7"),
    "DAILY_STOP_LIMIT_PCT": ("2", "2", "1", "5"),
    "DEMO_EQUITY": ("50000", "500000", "5000"),
    "ENTRY_QTY_6PT": ("5", "1", "20", "50"),
    "ENTRY_QTY_9PT": ("3", "30"),
    "SCALE_IN_QTY": ("5", "50"),
    "STOP_POINTS": ("15", "8", "60", "400"),
    "MAX_TRADES_PER_DAY": ("500", "1000"),
    "CANDLE_SECONDS": ("20", "1", "300"),
    "COOLDOWN_SECONDS": ("10", "0", "180"),
    "ENTRY_TTL_SECONDS": ("30", "600"),
    "EXIT_BESIDE_SECONDS": ("5", "60"),
    "ORDER_FATE_SECONDS": ("60", "600"),
    "POINT_UNIT_ES": ("1", "4"),
    "TRADING_DAY_ROLL": ("18:00", "10:00"),
    "ADOPT": ("", "keep"),
}
LIMITS: dict[str, tuple[Any, ...]] = {
    "daily_stop_limit_pct": (1, 2, 2, 2, 2, 5),
    "entry_qty_6pt": (1, 5, 20, 50),
    "entry_qty_9pt": (3, 30),
    "scale_in_qty": (5, 50),
    "stop_points": (8, 15, 60, 400),
    "max_trades_per_day": (400, 1000),
    "candle_seconds": (1, 20, 60),
    "cooldown_seconds": (0, 10, 30),
    "max_risk_per_order_pct": (1, 3, 100),
}


def clicks_entry(world: AngryWorld) -> None:
    """Ask for an entry, most often with a forged structure that lets it pass."""
    asset = world.any_asset()
    color = world.rng.choice(["green", "red"])
    if world.rng.random() < 0.85:
        forges_structure(world, asset, color)
    body: dict[str, Any] = {
        "asset": asset,
        "trade_mode": world.rng.choice(["SCALP", "RUNNER", "RUNNER"]),
        "direction": SIDES[color],
        "entry_size_mode": world.rng.choice(["6pt", "6pt", "9pt"]),
    }
    if world.rng.random() < 0.2:
        body |= {"entry_override": True, "override_reason": "now"}
    if world.rng.random() < 0.15:
        body["order_type"] = "preorder"
    if world.rng.random() < 0.05:
        body["qty"] = world.rng.choice([1, 3, 5, 40])
    world.clicks("/api/orders", body)
    if world.last_gate == "risk":  # take what fits
        world.clicks("/api/orders", body | {"qty": world.rng.choice([1, 2, 3])})
    if body.get("order_type") == "preorder" and world.rng.random() < 0.7:
        world.brick(asset, 6, color)


def forges_structure(world: AngryWorld, asset: str | None = None, color: str | None = None) -> None:
    asset, color = asset or world.any_asset(), color or world.rng.choice(["green", "red"])
    for size in (12, 8, 6):
        world.brick(asset, size, color)


def forges_brick(world: AngryWorld) -> None:
    world.brick(world.any_asset(), world.rng.choice(list(WEBHOOKS)), world.rng.choice(["green", "red"]))


def forges_price(world: AngryWorld) -> None:
    """Send a false price, near enough to be believed."""
    asset = world.any_asset()
    off = world.rng.choice([-30, -12, -3, 3, 12, 30]) * unit_of(asset)
    world.tells_price(asset, world.market.prices[asset] + off)


def adds(world: AngryWorld) -> None:
    """Scale in, after the brick that unlocks it."""
    for asset in world.held_assets() or [world.any_asset()]:
        side = world.desk.desk.assets[asset].position > 0
        world.brick(asset, 6, "green" if side else "red")
        world.clicks("/api/scale-in", {"asset": asset})


def exits(world: AngryWorld) -> None:
    world.clicks("/api/exit", {"asset": world.any_asset(), "force": world.rng.random() < 0.7})


def exits_all(world: AngryWorld) -> None:
    world.clicks("/api/exit-all", {"force": world.rng.random() < 0.5})


def touches_level(world: AngryWorld) -> None:
    world.webhook("/tv_level_exit", {"asset": world.any_asset()})


def turns_a_protection(world: AngryWorld) -> None:
    """Switch any protection on or off."""
    asset, roll = world.any_asset(), world.rng.random()
    on = world.rng.random() < 0.5
    if roll < 0.2:
        body = {"asset": asset, "enabled": on, "threshold": world.rng.choice([-2.0, 0.5])}
        world.clicks("/api/protect", body)
    elif roll < 0.4:
        world.clicks("/api/points-take-profit", {"asset": asset, "enabled": on, "target": world.rng.choice([2, 200])})
    elif roll < 0.6:
        world.clicks("/api/take-profit", {"asset": asset, "tp_arm": "toggle", "tp_target": world.rng.choice([1, 50])})
    else:
        path = world.rng.choice(["high-next-bar-exit", "main-flip-exit", "four-pt-invalidation"])
        world.clicks(f"/api/{path}", {"asset": asset})


def waits_for_a_brick(world: AngryWorld) -> None:
    path = world.rng.choice(["/api/intent", "/api/intent/cancel", "/api/preorder/cancel"])
    world.clicks(path, {"asset": world.any_asset()})


def changes_limits(world: AngryWorld) -> None:
    names = world.rng.sample(sorted(LIMITS), world.rng.randint(1, 2))
    known = {row.rule for row in RULE_SETTINGS}
    body = {name: world.rng.choice(LIMITS[name]) for name in names if name in known}
    if body:
        status = world.clicks("/api/limits", body)
        if status == 200 and "daily_stop_limit_pct" in body:
            world.day.asks_limit(world.now, body["daily_stop_limit_pct"])


def restarts(world: AngryWorld) -> None:
    """Change the env file and start the program again."""
    names = world.rng.sample(sorted(VARIABLES), world.rng.randint(0, 3))
    for name in names:
        world.environ[name] = world.rng.choice(VARIABLES[name])
    if world.rng.random() < 0.2:
        world.environ.update(ENVIRONMENT)
    world.restarts()


def makes_up_a_transfer(world: AngryWorld) -> None:
    amount = world.rng.choice([-5000, -500, 300, 500, 1000])
    world.clicks("/api/account/transfer", {"amount": amount, "reason": "paid in"})


def pays(world: AngryWorld) -> None:
    """Pay money in or out at the broker, and tell the desk of it, perhaps of more than that."""
    if world.held_assets() and world.rng.random() < 0.7:
        return
    amount = world.rng.choice([-3000, -500, 500, 3000])
    world.pays(Decimal(amount))
    world.passes(5)
    told = amount * world.rng.choice([1, 1, 1, 2, -1])
    world.clicks("/api/account/transfer", {"amount": told, "reason": "paid"})


def resolves(world: AngryWorld) -> None:
    """Claim to know what became of an order."""
    for order_id in list(world.desk.desk.orders)[:1]:
        outcome = world.rng.choice(["filled", "not_filled"])
        price = float(next(iter(world.market.prices.values())))
        world.clicks(f"/api/orders/{order_id}/resolve", {"outcome": outcome, "price": price, "reason": "I saw it"})


def turns_other_knobs(world: AngryWorld) -> None:
    """Press what is left: some of it is refused, or not there."""
    knobs: tuple[tuple[str, dict[str, Any]], ...] = (
        ("/api/trade-limit/consume", {}),
        ("/api/bridge/takeover", {"reason": "mine"}),
        ("/api/positions/accept", {"symbol": "MESZ6", "position": 5, "reason": "mine"}),
        ("/api/account/store", {"reason": "new computer"}),
        ("/api/levels", {"asset": "ES", "price": 5200}),
        ("/api/two-half-tp-lock", {"asset": "ES"}),
    )
    world.clicks(*world.rng.choice(knobs))


def locks_out(world: AngryWorld) -> None:
    world.clicks("/api/lockout", {"until": "session"})


def silences_the_bridge(world: AngryWorld) -> None:
    """Stop the bridge's process for a while. The stops rest at the broker."""
    world.bridge.silent_until = world.now + timedelta(seconds=world.rng.choice([5, 40, 90]))


def waits(world: AngryWorld) -> None:
    world.passes(world.rng.choice([5, 20, 60]))


ACTS: tuple[tuple[int, Callable[[AngryWorld], None]], ...] = (  # the number is the weight
    (40, clicks_entry),
    (4, forges_structure),
    (6, forges_brick),
    (6, forges_price),
    (12, adds),
    (3, exits),
    (1, exits_all),
    (1, touches_level),
    (8, turns_a_protection),
    (3, waits_for_a_brick),
    (5, changes_limits),
    (4, restarts),
    (3, makes_up_a_transfer),
    (1, pays),
    (2, resolves),
    (2, turns_other_knobs),
    (1, silences_the_bridge),
    (10, waits),
)
SELDOM_ACTS = (locks_out,)  # ends a day's trading: pressed by the trader once in a while, between two days
