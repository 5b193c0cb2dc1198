"""Plays a tape to the desk: each tick as a heartbeat, then the bricks it closes, smallest size first."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal

from msgspec import Struct, field

from services.market.instruments import can_trade_at, instrument_for
from services.market.renko import FormedBrick, RenkoStack
from services.market.ticks import Tick
from tape.controls import Controls, TapeStopped
from tape.messages import BRICK_WEBHOOKS, MessageWriter, TapeSource
from tape.pace import Pace, Throttle
from tape.ticks import TickSender
from tape.webhooks import DeskLine
from wire.types import Instant, Price


class TapeSettings(Struct, frozen=True):
    """How a tape is played. ``speed`` 0 is as fast as the desk answers; ``run_id`` is part of its brick ids.

    With ``bridge_secret`` the prices are sent as ticks, too. ``unit`` is the price of a point, None for the usual one.
    """

    asset: str
    url: str
    secret: str
    run_id: str
    speed: float = 1.0
    heartbeats_per_second: float = 4.0
    longest_gap_seconds: float = 5.0
    source: TapeSource = "recorded"
    bridge_secret: str = ""
    unit: Price | None = None


class TapeSummary(Struct):
    """Counts of what was played. ``bricks`` counts by size in points; ``completed`` is false when stopped.

    ``left_out`` counts the rows with a price at which the market cannot trade.
    """

    ticks: int = 0
    left_out: int = 0
    heartbeats: int = 0
    bricks: dict[Decimal, int] = field(default_factory=lambda: dict.fromkeys(BRICK_WEBHOOKS, 0))
    retries: int = 0
    seconds: float = 0.0
    completed: bool = False

    @property
    def posted(self) -> int:
        """Number of messages the desk accepted."""
        return self.heartbeats + sum(self.bricks.values())


Watcher = Callable[[TapeSummary, Tick], None]


def play(
    ticks: Iterable[Tick],
    settings: TapeSettings,
    controls: Controls | None = None,
    watch: Watcher = lambda _summary, _tick: None,
) -> TapeSummary:
    """Play ticks to the desk's webhooks until they end or the operator stops; ``watch`` is called after each.

    Raises UnknownInstrument for the asset, DeskRefused when the desk refuses a message, and the errors of reading and
    feeding the ticks (PriceFileError, PriceJump). Server errors and lost connections are retried and never raise.
    """
    controls = controls or Controls()
    player = TapePlayer(settings, controls)
    try:
        for tick in ticks:
            player.play_tick(tick)
            watch(player.summary, tick)
        player.send_last_price()
        player.summary.completed = True
    except TapeStopped:
        player.summary.completed = False
    finally:
        player.close()
    return player.summary


class TapePlayer:
    """One run of a tape: its unfinished bricks, pace, connection to the desk and counts.

    Raises UnknownInstrument for an asset that is not in the table.
    """

    def __init__(self, settings: TapeSettings, controls: Controls) -> None:
        self.summary = TapeSummary()
        self._settings = settings
        self._controls = controls
        self._stack = RenkoStack(instrument_for(settings.asset), settings.unit)
        self._pace = Pace(settings.speed, settings.longest_gap_seconds)
        self._throttle = Throttle(settings.heartbeats_per_second)
        self._writer = MessageWriter(settings.asset, settings.secret, settings.run_id, settings.source)
        self._line = DeskLine(settings.url, controls)
        self._started = time.monotonic()
        self._moment = datetime.now(UTC)
        self._unsent: Tick | None = None
        self._ticks = _tick_sender(settings, controls)

    def play_tick(self, tick: Tick) -> None:
        """Wait until a tick is due and send it; leave it out when no market trades at its price.

        Raises TapeStopped and DeskRefused.
        """
        if not can_trade_at(self._settings.asset, tick.price):
            self.summary.left_out += 1
            return
        self._controls.rest(self._pace.wait_before(tick.at, time.monotonic()))
        if self._ticks is not None:
            self._ticks.add(tick.price)
        bricks = self._stack.feed(tick.price)
        if self._throttle.passes(time.monotonic(), forced=bool(bricks)):
            self._send_heartbeat(tick)
        else:
            self._unsent = tick
        for brick in bricks:
            self._send_brick(brick, tick)
        self.summary.ticks += 1
        self.summary.seconds = time.monotonic() - self._started

    def send_last_price(self) -> None:
        """Send the last tick's price if the throttle withheld it, so that the desk shows the tape's last price."""
        if self._unsent is not None:
            self._send_heartbeat(self._unsent)

    def close(self) -> None:
        """Close the connection and stop the clock."""
        self.summary.seconds = time.monotonic() - self._started
        self._line.close()
        if self._ticks is not None:
            self._ticks.close()

    def _send_heartbeat(self, tick: Tick) -> None:
        self.summary.retries += self._line.deliver(self._writer.heartbeat(tick.price, self._now()))
        self.summary.heartbeats += 1
        self._unsent = None

    def _send_brick(self, brick: FormedBrick, tick: Tick) -> None:
        ordinal = self.summary.bricks[brick.points] + 1
        message = self._writer.brick(brick, tick, ordinal, self._now())
        self.summary.retries += self._line.deliver(message)
        self.summary.bricks[brick.points] = ordinal

    def _now(self) -> Instant:
        """Return the time of sending; it never goes back, because the desk would ignore the brick as late."""
        self._moment = max(self._moment, datetime.now(UTC))
        return self._moment


def _tick_sender(settings: TapeSettings, controls: Controls) -> TickSender | None:
    """Start to send ticks. Without the bridge's secret none are sent."""
    if not settings.bridge_secret:
        return None
    sender = TickSender(settings.url, settings.bridge_secret, settings.asset, settings.run_id, controls.say)
    sender.start()
    return sender
