"""Deals seeded moves: what a market, a bridge and a restless operator do, often enough to reach every rule."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from services.engine.model.commands import (
    CancelIntent,
    CancelPreOrder,
    CloseBrick,
    ConsumeTrade,
    EnterMarket,
    ExitAll,
    ExitPosition,
    PlaceIntent,
    PlacePreOrder,
    ScaleIn,
    SetLimits,
    SetPointsTarget,
    SetProtect,
    SetSignalTarget,
    ToggleExit,
    TouchLevel,
)
from services.engine.model.window import NewsTime
from services.engine.model.window_commands import LockOut, NoteSessions
from tests.oracle.game import ASSETS, Divergence, Game, Move, diverges, shortest
from tests.oracle.week import begins_of_days
from wire.types import Stream

COLORS = ("green", "red")
SIDE = {"green": "BUY", "red": "SELL"}
AGED = timedelta(hours=23)
STARTS = (
    ("2026-11-17", "09:31:10"),
    ("2026-11-17", "17:52:00"),
    ("2026-03-06", "17:50:00"),
    ("2026-11-01", "18:30:00"),
)
VALUES: dict[str, tuple[Any, ...]] = {
    "max_trades_per_day": (2, 4, 6, 10),
    "daily_stop_limit_pct": (Decimal("0.5"), Decimal(1), Decimal(2)),
    "cooldown_seconds": (0, 60, 180),
    "candle_seconds": (60, 300, 900),
    "heartbeat_max_age_seconds": (300, 600, 900),
    "entry_ttl_seconds": (10, 30, 60),
    "two_half_filter": (False, True),
    "entry_qty_6pt": (1, 3, 5),
    "entry_qty_9pt": (2, 3),
    "scale_in_qty": (1, 3, 5),
    "stop_points": (Decimal(10), Decimal(15), Decimal(20)),
}
VALUES |= {
    "max_risk_per_order_pct": (Decimal("0.5"), Decimal(1), Decimal("1.5")),
    "max_contracts": (None, Decimal("0.4"), Decimal(1)),
    "max_contracts_correlated": (None, Decimal("0.3"), Decimal("0.7")),
    "overrides_per_day": (1, 2, 3),
    "initial_lock_seconds": (60, 600, 900),
    "preorder_seconds": (60, 600, 1800),
    "trading_hours": ("09:30-16:30", "09:00-12:00", "10:00-11:30,17:00-19:00", None, None, None),
    "no_entry_after_open": (5, 60, None),
    "no_entry_before_close": (5, 60, None),
    "flat_by": ("16:55", "11:00", "17:55", None, None, None),
    "loss_streak": (1, 2, None),
    "loss_pause_minutes": (5, 60),
    "cooldown_after_loss": (120, 600, None),
    "weekly_loss_pct": (Decimal("0.5"), Decimal(3), None, None),
    "weekly_loss_usd": (Decimal(150), Decimal(700), None, None),
    "max_trades_per_week": (2, 5, None, None),
    "give_back_usd": (Decimal(60), Decimal(250), None),
    "profit_lock_usd": (Decimal(120), Decimal(400), None, None),
}
WORDS = ("trading_hours", "flat_by")
RARE = ("max_trades_per_week", "weekly_loss_usd", "weekly_loss_pct", "flat_by", "trading_hours")
PER_SIDE = {"MES": Decimal("0.62"), "ESZ": Decimal("2.40"), "MNQ": Decimal("1.02")}
TOGGLES = ("high_next_bar_exit_enabled", "main_flip_exit_enabled", "four_pt_invalidation_enabled")
MOVES = tuple(
    Decimal(move) for move in ("-25", "-3", "-1.5", "-1", "-0.5", "-0.25", "0.25", "0.5", "1", "1.5", "3", "25")
)
WAITS = (0, 0.5, 1, 2, 2, 5, 10, 29.999999, 30, 60, 120, 180, 300, 599, 600, 1800)


class Dealer:
    """Deals moves for a game from a seed."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        on, at = STARTS[seed % len(STARTS)]
        self.settings: dict[str, Any] = {"on": on, "at": at}
        if seed % 3:
            self.settings |= {"cooldown_seconds": 60, "candle_seconds": 60, "max_trades_per_day": 10}
        if seed % 4 == 1:
            self.settings |= {"daily_stop_limit_pct": Decimal("0.5"), "stop_points": Decimal(20)}
        if seed % 5 == 2:
            self.settings |= {"two_half_filter": True}
        self.settings |= _of_the_new_rules(seed)
        self.bricks = 0
        self.trend = self.rng.choice([-1, 1])

    def deals(self, game: Game) -> list[Move]:
        """Return the next moves."""
        weights = [weight for weight, _ in DEALS]
        return self.rng.choices([deal for _, deal in DEALS], weights)[0](self, game)

    def any(self) -> str:
        return self.rng.choice(ASSETS)

    def asks(self, command: Any) -> list[Move]:
        return [Move("command", (command,))]

    def brick(self, game: Game, asset: str, stream: Stream, color: str) -> Move:
        self.bricks += 1
        name = f"brick-{self.bricks}"
        stale_at = game.now + AGED if stream in (Stream.HIGH, Stream.MACRO) else None
        return Move("command", (CloseBrick(asset, stream, color, name, stale_at=stale_at),))  # type: ignore[arg-type]

    def held(self, game: Game) -> str:
        """Most often an asset that holds something."""
        held = [name for name, position in game.positions.items() if position]
        return self.rng.choice(held) if held and self.rng.random() < 0.85 else self.any()


def _of_the_new_rules(seed: int) -> dict[str, Any]:
    """The rules that most games have none of, each in some of the games."""
    told: dict[str, Any] = {"knows_sessions": seed % 2 == 1, "max_risk_per_order_pct": Decimal(1 + seed % 4)}
    settings: tuple[dict[str, Any], ...] = (
        {"commissions": {"MES": PER_SIDE["MES"], "MNQ": PER_SIDE["MNQ"]}},
        {"flat_by": "10:30", "give_back_usd": Decimal(60)},
        {"loss_streak": 2, "loss_pause_minutes": 30, "max_contracts_by_asset": {"ES": 6, "NQ": 4}},
        {"weekly_loss_usd": Decimal(300), "commissions": {"MES": PER_SIDE["MES"]}},
        {"firm": (Decimal(800), Decimal("0.9"))},
        {"max_trades_per_week": 4, "profit_lock_usd": Decimal(200)},
        {"no_entry_before_close": 60, "no_entry_after_open": 60, "cooldown_after_loss": 600},
    )
    return told | settings[seed % len(settings)]


def _waits(dealer: Dealer, game: Game) -> list[Move]:
    waits = [Move("wait", (dealer.rng.choice(WAITS),))]
    return waits if dealer.rng.random() < 0.3 else [*waits, *_moves(dealer, game)]


def _sleeps(dealer: Dealer, game: Game) -> list[Move]:
    return [Move("wait", (dealer.rng.choice([3600, 7200, 30_000, 90_000]),)), *_moves(dealer, game)]


def _moves(dealer: Dealer, game: Game) -> list[Move]:
    """Move the market, for a while in one direction."""
    if dealer.rng.random() < 0.05:
        dealer.trend = dealer.rng.choice([-1, 1])
    move = dealer.rng.choice(MOVES)
    move = abs(move) * dealer.trend if dealer.rng.random() < 0.6 else move
    return [Move("market", (dealer.held(game), move))]


def _runs(dealer: Dealer, game: Game) -> list[Move]:
    """Let a held market run against or with the trade, as a stop-out or a target does."""
    asset, way = dealer.held(game), dealer.rng.choice([-1, 1])
    moves = []
    for _ in range(dealer.rng.randint(4, 20)):
        moves += [Move("wait", (1,)), Move("market", (asset, Decimal("1.5") * way))]
    return moves


def _heard_all(dealer: Dealer, game: Game) -> list[Move]:
    return [Move("market", (asset, Decimal(0))) for asset in ASSETS]


def _lies(dealer: Dealer, game: Game) -> list[Move]:
    """A balance or a position that nothing explains, and perhaps an order before the truth comes."""
    asset = dealer.any()
    off = Decimal(dealer.rng.choice([-1500, -400, 400, 1500]))
    lie = (asset, Decimal(0), off, 0) if dealer.rng.random() < 0.5 else (asset, Decimal(0), Decimal(0), 2)
    color = dealer.rng.choice(COLORS)
    before = [Move("wait", (dealer.rng.choice([61, 301]),)), *_forms_structure(dealer, game, asset, color)]
    asked = dealer.asks(EnterMarket(**_entry(dealer, asset, color)))
    adds = dealer.asks(ScaleIn(asset)) if dealer.rng.random() < 0.5 else []
    return [*before, Move("market", lie), *asked, *adds, Move("market", (asset, Decimal(0)))]


def _closes_a_brick(dealer: Dealer, game: Game) -> list[Move]:
    stream = dealer.rng.choice([Stream.TWO_HALF, Stream.FOUR, Stream.FOUR, Stream.MAIN, Stream.HIGH, Stream.MACRO])
    return [dealer.brick(game, dealer.held(game), stream, dealer.rng.choice(COLORS))]


def _forms_structure(dealer: Dealer, game: Game, asset: str | None = None, color: str | None = None) -> list[Move]:
    asset, color = asset or dealer.any(), color or dealer.rng.choice(COLORS)
    macro = color if dealer.rng.random() < 0.7 else dealer.rng.choice(COLORS)
    streams: tuple[tuple[Stream, str], ...] = ((Stream.MACRO, macro), (Stream.HIGH, color), (Stream.MAIN, color))
    if dealer.rng.random() < 0.3:
        streams = (*streams, (Stream.TWO_HALF, dealer.rng.choice(COLORS)))
    return [dealer.brick(game, asset, stream, shade) for stream, shade in streams]


def _entry(dealer: Dealer, asset: str, color: str | None) -> dict[str, Any]:
    rng = dealer.rng
    direction = SIDE[color] if color and rng.random() < 0.85 else rng.choice(["BUY", "SELL", None])
    override = rng.random() < 0.15
    return {
        "asset": asset,
        "trade_mode": rng.choice(["SCALP", "RUNNER"]),
        "size_mode": rng.choice(["6pt", "6pt", "9pt"]),
        "direction": direction,
        "override": override,
        "override_reason": rng.choice(["seen", "seen", None, " "]) if override else None,
        "qty": rng.choice([None, None, None, 1, 2, 3, 9]),
    }


def _enters(dealer: Dealer, game: Game) -> list[Move]:
    return dealer.asks(EnterMarket(**_entry(dealer, dealer.any(), None)))


def _enters_a_living_market(dealer: Dealer, game: Game) -> list[Move]:
    """Take away what refuses most entries, then enter, and most often fill."""
    asset, color = dealer.any(), dealer.rng.choice(COLORS)
    moves = [Move("wait", (dealer.rng.choice([0, 61, 181, 301, 901]),)), Move("market", (asset, Decimal(0)))]
    moves += _forms_structure(dealer, game, asset, color)
    moves += dealer.asks(EnterMarket(**_entry(dealer, asset, color)))
    fate = dealer.rng.random()
    if fate < 0.1:
        return moves
    moves.append(Move("claim"))
    if fate < 0.2:
        return [*moves, Move("report", (asset, dealer.rng.choice(["REJECTED", "CANCELLED", "WORKING"]), 0))]
    if fate < 0.4:
        moves.append(Move("report", (asset, "PARTIALLY_FILLED", dealer.rng.randint(1, 3))))
    return [*moves, Move("report", (asset, "FILLED", 0))] if fate > 0.25 else moves


def _waits_for_a_brick(dealer: Dealer, game: Game) -> list[Move]:
    asset, color = dealer.any(), dealer.rng.choice(COLORS)
    roll = dealer.rng.random()
    if roll < 0.2:
        return dealer.asks(dealer.rng.choice([CancelIntent, CancelPreOrder])(asset))
    if roll < 0.5:
        return dealer.asks(PlaceIntent(asset))
    moves = dealer.asks(PlacePreOrder(**_entry(dealer, asset, color)))
    if roll > 0.85:
        return [*moves, *dealer.asks(ExitAll(True))]
    return moves if roll < 0.65 else [*moves, dealer.brick(game, asset, Stream.MAIN, color)]


def _adds(dealer: Dealer, game: Game) -> list[Move]:
    asset = dealer.held(game)
    moves = []
    if dealer.rng.random() < 0.6:
        moves.append(dealer.brick(game, asset, Stream.MAIN, "green" if game.positions[asset] > 0 else "red"))
    moves += dealer.asks(ScaleIn(asset))
    fill = Move("report", (asset, dealer.rng.choice(["FILLED", "FILLED", "REJECTED"]), 0))
    return [*moves, Move("claim"), fill] if dealer.rng.random() < 0.6 else moves


def _exits(dealer: Dealer, game: Game) -> list[Move]:
    asset, force = dealer.held(game), dealer.rng.random() < 0.5
    if dealer.rng.random() < 0.2:
        return dealer.asks(ExitAll(force))
    return dealer.asks(TouchLevel(asset) if dealer.rng.random() < 0.2 else ExitPosition(asset, force))


def _protects(dealer: Dealer, game: Game) -> list[Move]:
    asset, on = dealer.held(game), dealer.rng.random() < 0.6
    roll = dealer.rng.random()
    if roll < 0.25:
        threshold = dealer.rng.choice([None, Decimal(-2), Decimal("0.5"), Decimal(0)])
        return dealer.asks(SetProtect(asset, on, threshold))
    if roll < 0.5:
        target = dealer.rng.choice([None, Decimal(3), Decimal(15), Decimal(200), Decimal(201)])
        return dealer.asks(SetPointsTarget(asset, on, target))
    if roll < 0.7:
        aim = dealer.rng.choice([None, 1, 2, 50, 51])
        return dealer.asks(SetSignalTarget(asset, dealer.rng.random() < 0.6, aim, dealer.rng.random() < 0.2))
    return dealer.asks(ToggleExit(asset, dealer.rng.choice(TOGGLES)))  # type: ignore[arg-type]


def _unlocks(dealer: Dealer, game: Game) -> list[Move]:
    """Turn the 2.5pt brick against the trade, then change a protection."""
    asset = dealer.held(game)
    color = "red" if game.positions[asset] > 0 else "green"
    return [dealer.brick(game, asset, Stream.TWO_HALF, color), *_protects(dealer, game)]


def _arms_and_turns(dealer: Dealer, game: Game) -> list[Move]:
    """Arm an exit by bricks and close the brick that it waits for, at once or with its lock on."""
    asset = dealer.held(game)
    against = "red" if game.positions[asset] > 0 else "green"
    roll = dealer.rng.random()
    if roll < 0.35:
        moves = dealer.asks(SetSignalTarget(asset, True, dealer.rng.choice([1, 2])))
        return [*moves, *(dealer.brick(game, asset, Stream.MAIN, against) for _ in range(2))]
    if roll < 0.7:
        moves = dealer.asks(ToggleExit(asset, "four_pt_invalidation_enabled"))
        return [*moves, dealer.brick(game, asset, Stream.FOUR, against)]
    moves = dealer.asks(ToggleExit(asset, "main_flip_exit_enabled"))
    return [*moves, dealer.brick(game, asset, Stream.MAIN, against)]


def _loses(dealer: Dealer, game: Game) -> list[Move]:
    """Let what is held lose for a minute."""
    asset = dealer.held(game)
    way = -1 if game.positions[asset] > 0 else 1
    return [move for _ in range(22) for move in (Move("wait", (1,)), Move("market", (asset, way * Decimal("1.5"))))]


def _protects_and_turns(dealer: Dealer, game: Game) -> list[Move]:
    """Arm the soft stop and let the market come to its threshold in small steps."""
    asset = dealer.held(game)
    way = -1 if game.positions[asset] > 0 else 1
    color = "red" if game.positions[asset] > 0 else "green"
    threshold = dealer.rng.choice([Decimal(-2), Decimal("0.5")])
    steps = [Move("market", (asset, way * Decimal("0.5"))) for _ in range(8)]
    return [dealer.brick(game, asset, Stream.TWO_HALF, color), *dealer.asks(SetProtect(asset, True, threshold)), *steps]


def _aims_and_runs(dealer: Dealer, game: Game) -> list[Move]:
    """Bring the target near and let the market come to it."""
    asset = dealer.held(game)
    way = 1 if game.positions[asset] > 0 else -1
    color = "red" if game.positions[asset] > 0 else "green"
    aim = dealer.rng.choice([Decimal(1), Decimal("2.5")])
    steps = [Move("market", (asset, way * Decimal("0.5"))) for _ in range(6)]
    return [dealer.brick(game, asset, Stream.TWO_HALF, color), *dealer.asks(SetPointsTarget(asset, True, aim)), *steps]


def _claims(dealer: Dealer, game: Game) -> list[Move]:
    return [Move("claim")]


def _reports(dealer: Dealer, game: Game) -> list[Move]:
    asset = next((name for name in game.claimed_at), dealer.any())
    status = dealer.rng.choice(
        ["FILLED"] * 5 + ["PARTIALLY_FILLED", "PARTIALLY_FILLED", "REJECTED", "CANCELLED", "WORKING"]
    )
    return [Move("report", (asset, status, dealer.rng.randint(1, 3)))]


def _changes_rules(dealer: Dealer, game: Game) -> list[Move]:
    names = dealer.rng.sample(sorted(VALUES), dealer.rng.randint(1, 2))
    if dealer.rng.random() < 0.7:  # they would end most games early
        names = [name for name in names if name not in RARE]
    chosen = {name: dealer.rng.choice(VALUES[name]) for name in names}
    on_its_way = any(book.entering is not None for book in game.oracle.books.values())
    if on_its_way:  # a candle is not resized under an entry on its way
        chosen.pop("candle_seconds", None)
    if dealer.rng.random() < 0.4:
        return [Move("restart", (tuple(chosen.items()),))]
    words = {name: chosen.pop(name) for name in WORDS if name in chosen}
    limits = {name: None if value is None else Decimal(value) for name, value in chosen.items()}
    asked = SetLimits(limits, words, confirm=dealer.rng.random() < 0.5)
    return dealer.asks(asked) if limits or words else []


def _tightens_under_a_loss(dealer: Dealer, game: Game) -> list[Move]:
    """Let what is held lose, then bring the day's limit below the loss, and see what passes before and after."""
    asset = dealer.held(game)
    way = -1 if game.positions[asset] > 0 else 1
    loses = [Move("market", (asset, way * Decimal("0.75"))) for _ in range(12)]
    tighter = SetLimits({"daily_stop_limit_pct": Decimal(dealer.rng.choice(["0.05", "0.1", "0.2"]))}, confirm=True)
    with_it = dealer.brick(game, asset, Stream.MAIN, "green" if game.positions[asset] > 0 else "red")
    turns = [*dealer.asks(ScaleIn(asset)), *_enters(dealer, game), Move("market", (asset, Decimal(0)))]
    after = [Move("wait", (dealer.rng.choice([1, 2, 3]),)), Move("market", (asset, Decimal(0)))]
    looser = dealer.asks(SetLimits({"daily_stop_limit_pct": Decimal(2)}))
    return [*loses, with_it, *dealer.asks(tighter), *turns, *after, *after, *looser, Move("claim")]


def _loosens_later(dealer: Dealer, game: Game) -> list[Move]:
    """Arm a protection, and a minute later try to take it away while management is locked or losing."""
    asset = dealer.held(game)
    color = "green" if game.positions[asset] > 0 else "red"
    if dealer.rng.random() < 0.3:
        color = "red" if color == "green" else "green"
    pause = [Move("wait", (dealer.rng.choice([59, 60, 61]),)), Move("market", (asset, Decimal(0)))]
    lock = dealer.brick(game, asset, Stream.TWO_HALF, color)
    roll = dealer.rng.random()
    if roll < 0.35:
        on, off = SetProtect(asset, True, Decimal(-2)), SetProtect(asset, False)
        return [*dealer.asks(on), *pause, lock, *dealer.asks(off)]
    if roll < 0.6:
        nearer, further = SetPointsTarget(asset, True, Decimal(150)), SetPointsTarget(asset, True, Decimal(190))
        return [*dealer.asks(nearer), lock, *pause, *dealer.asks(further)]
    switch: Any = ToggleExit(asset, dealer.rng.choice(TOGGLES))  # type: ignore[arg-type]
    return [*dealer.asks(switch), *pause, lock, *dealer.asks(switch)]


def _waits_for_the_roll(dealer: Dealer, game: Game) -> list[Move]:
    """Loosen limits some minutes or hours before the day rolls, and go on behind the roll."""
    left = int((day_ends(game.now) - game.now).total_seconds())
    before = dealer.rng.choice([60, 300, 7 * 3600, 8 * 3600, 8 * 3600 + 60])
    trades = Decimal(dealer.rng.choice([4, 6, 10, 12]))
    looser = SetLimits({"cooldown_seconds": Decimal(0), "max_trades_per_day": trades})
    waits = [Move("wait", (max(0, left - before),)), *dealer.asks(looser)]
    if dealer.rng.random() < 0.5:  # and looser still an hour before the roll
        later = min(before, 3600)
        looser_still = SetLimits({"max_trades_per_day": trades + 3, "entry_ttl_seconds": Decimal(120)})
        waits += [Move("wait", (before - later,)), *dealer.asks(looser_still)]
        before = later
    return [*waits, Move("wait", (before,)), Move("wait", (1,)), *_heard_all(dealer, game)]


def day_ends(now: datetime) -> datetime:
    return next(at for at in begins_of_days(now) if at > now)


def _starts_anew(dealer: Dealer, game: Game) -> list[Move]:
    """Restart with other contracts, another commission or another cap of an asset."""
    full = tuple(name for name in ASSETS if dealer.rng.random() < 0.3)
    told: tuple[tuple[str, Any], ...] = (
        ("contracts", full),
        ("commissions", dealer.rng.choice([{}, {"MES": Decimal("0.62")}, {"MES": Decimal("1.50"), "MYM": Decimal(1)}])),
        ("max_contracts_by_asset", dealer.rng.choice([{}, {"ES": 4}, {"ES": 8, "YM": 3}])),
    )
    return [Move("restart", (tuple(dealer.rng.sample(told, dealer.rng.choice([1, 1, 2]))),))]


def _locks_out(dealer: Dealer, game: Game) -> list[Move]:
    return dealer.asks(LockOut(dealer.rng.choice(["session", "session", "day", "week"])))


def _reads_news(dealer: Dealer, game: Game) -> list[Move]:
    """Read the news file: one time in it, or none any more."""
    begins = game.now + timedelta(minutes=dealer.rng.choice([-1, 0, 2, 600]))
    told = (NewsTime(begins, begins + timedelta(minutes=10), "CPI"),) if dealer.rng.random() < 0.6 else ()
    return dealer.asks(NoteSessions(game.sessions, told))


def _consumes(dealer: Dealer, game: Game) -> list[Move]:
    """Take one slot by hand, or the rest of the day's before an entry is asked for."""
    if dealer.rng.random() < 0.7:
        return dealer.asks(ConsumeTrade())
    slots = [move for _ in range(10) for move in dealer.asks(ConsumeTrade())]
    return [*slots, *_enters(dealer, game), *_enters_a_living_market(dealer, game)]


Deal = Callable[[Dealer, Game], list[Move]]
DEALS: tuple[tuple[float, Deal], ...] = (  # the number is the weight
    (14, _waits),
    (1, _sleeps),
    (14, _moves),
    (4, _runs),
    (3, _heard_all),
    (3, _lies),
    (14, _closes_a_brick),
    (3, _forms_structure),
    (5, _enters),
    (14, _enters_a_living_market),
    (8, _waits_for_a_brick),
    (6, _adds),
    (6, _exits),
    (6, _protects),
    (5, _unlocks),
    (5, _arms_and_turns),
    (4, _loses),
    (3, _protects_and_turns),
    (3, _aims_and_runs),
    (8, _claims),
    (14, _reports),
    (3, _changes_rules),
    (1.5, _tightens_under_a_loss),
    (3, _loosens_later),
    (0.7, _waits_for_the_roll),
    (0.5, _starts_anew),
    (0.3, _locks_out),
    (0.5, _reads_news),
    (1, _consumes),
)


def played(seed: int, steps: int) -> Game:
    """Deal and play so many moves. Raises Divergence with the shortest story found."""
    dealer = Dealer(seed)
    game = Game(**dealer.settings)
    moves: list[Move] = []
    try:
        while len(moves) < steps:
            for move in dealer.deals(game):
                moves.append(move)
                game.plays(move)
    except Divergence as found:
        raise Divergence(f"seed {seed}, move {len(moves)}: {found}") from found
    return game


def story_of(seed: int, steps: int) -> str:
    """Return the shortest story in which engine and oracle part, '' when they never do."""
    dealer = Dealer(seed)
    game = Game(**dealer.settings)
    moves: list[Move] = []
    try:
        while len(moves) < steps:
            for move in dealer.deals(game):
                moves.append(move)
                game.plays(move)
    except Divergence:
        kept = shortest(moves, dealer.settings)
        lines = [f"seed {seed}: {dealer.settings}", *map(str, kept), str(diverges(kept, dealer.settings))]
        return "\n".join(lines)
    return ""
